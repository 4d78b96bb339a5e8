/**
 * What one customer holds of the address space: an IPv4 address, or the first 64 bits of an IPv6 one. Behind proxies an address
 * is what they say: with a port, or mapped from IPv4; what is no address at all counts together, as `unknown`.
 */
export function networkOf(address: string): string {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(address)?.[1] ?? address;
  if (!bare.includes(':', bare.indexOf(':') + 1)) return ipv4Of(bare.replace(/:\d+$/, '')) ?? unknown;
  const groups = groupsOf(bare.replace(/%.*$/, ''));
  if (groups === null) return unknown;
  const [high = 0, low = 0] = groups.slice(6);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

const unknown = 'unknown';

function ipv4Of(text: string): string | null {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return null;
  const bytes = text.split('.').map(Number);
  return bytes.every((byte) => byte < 256) ? bytes.join('.') : null;
}

/** The eight groups of an IPv6 address; the last two may be written as an IPv4 address. */
function groupsOf(text: string): number[] | null {
  const [, start = '', dotted] = /^(.*:)(\d[\d.]*\.[\d.]*)$/.exec(text) ?? [];
  if (dotted !== undefined) {
    const bytes = ipv4Of(dotted)?.split('.').map(Number);
    if (!bytes) return null;
    const [a = 0, b = 0, c = 0, d = 0] = bytes;
    return groupsOf(`${start}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`);
  }
  const sides = text.split('::').map((side) => (side === '' ? [] : side.split(':')));
  const [first = [], last = []] = sides;
  const missing = 8 - first.length - last.length;
  if (sides.length > 2 || (sides.length === 2 ? missing < 1 : missing !== 0)) return null;
  const groups = [...first, ...Array<string>(missing).fill('0'), ...last];
  return groups.every((group) => /^[\da-f]{1,4}$/i.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : null;
}
