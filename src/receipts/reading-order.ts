const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}]/u;
const letter = /\p{L}/u;
const mirrored: Record<string, string> = {
  '(': ')',
  ')': '(',
  '[': ']',
  ']': '[',
  '{': '}',
  '}': '{',
  '<': '>',
  '>': '<',
};

/** A piece of a line from left to right; what is right-to-left in it is in the order it is read, as fonts want it. */
export interface Piece {
  text: string;
  isRightToLeft: boolean;
}

/**
 * The words of a line as they stand on paper, from left to right. A little of Unicode's bidirectional algorithm, word by word: enough for
 * the names of people and products, which is where other scripts come up.
 */
export function readingOrder(line: string): Piece[] {
  if (!rightToLeft.test(line)) return line === '' ? [] : [{ text: line, isRightToLeft: false }];
  const isLineRightToLeft = isRtl(line) ?? false;
  let before = isLineRightToLeft;
  const words = line.split(' ').map((text) => {
    before = isRtl(text) ?? before; // a number goes with the word before it
    return { text, isRightToLeft: before };
  });
  const groups: Piece[][] = [];
  for (const word of words) {
    const last = groups.at(-1);
    if (last?.[0]?.isRightToLeft === word.isRightToLeft) last.push(word);
    else groups.push([word]);
  }
  const inOrder = groups.map((group) => (group[0]?.isRightToLeft ? group.toReversed().map(turned) : group));
  const placed = (isLineRightToLeft ? inOrder.toReversed() : inOrder).flat();
  return placed.flatMap((piece, index) => (index === 0 ? [piece] : [space, piece]));
}

const space: Piece = { text: ' ', isRightToLeft: false };

/** By the first letter; null where there is none. */
function isRtl(text: string): boolean | null {
  const first = [...text].find((character) => letter.test(character));
  return first === undefined ? null : rightToLeft.test(first);
}

const turned = (piece: Piece): Piece => ({
  ...piece,
  text: piece.text.replace(/[()[\]{}<>]/g, (one) => mirrored[one] ?? one),
});
