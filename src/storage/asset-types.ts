import path from 'node:path';

/** What browsers show and play. */
const contentTypes: Record<string, string> = {
  '.avif': 'image/avif',
  '.gif': 'image/gif',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webp': 'image/webp',
  '.aac': 'audio/aac',
  '.flac': 'audio/flac',
  '.m4a': 'audio/mp4',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.opus': 'audio/ogg',
  '.wav': 'audio/wav',
};

export const contentTypeOf = (name: string): string =>
  contentTypes[path.posix.extname(name).toLowerCase()] ?? 'application/octet-stream';

export const isPictureOrSound = (name: string): boolean => path.posix.extname(name).toLowerCase() in contentTypes;
