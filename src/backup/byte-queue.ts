/** Bytes that come in pieces of any length, and are taken in pieces of another. */
export class ByteQueue {
  #chunks: Buffer[] = [];
  size = 0;

  push(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return;
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.size += chunk.byteLength;
  }

  /** Exactly so many; there must be as many. */
  take(count: number): Buffer {
    const parts: Buffer[] = [];
    let wanted = count;
    while (wanted > 0) {
      const first = this.#chunks[0];
      if (!first) throw new RangeError(`${count} bytes were taken of ${count - wanted}`);
      if (first.length <= wanted) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(wanted);
      parts.push(first.subarray(0, wanted));
      wanted -= Math.min(first.length, wanted);
    }
    this.size -= count;
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, count);
  }
}
