import type { DecodedBoxes } from '../core/outputs/boxes';
import type { ClassScore } from '../core/outputs/classes';
import type { Decoded } from '../core/outputs/decode-outputs';
import { table } from './text';

/** What the outputs of a sample mean, for people. */
export function decodedLines(decoded: Decoded): readonly string[] {
  switch (decoded.kind) {
    case 'classes':
      return table(decoded.classes.map((found) => [nameOf(found), scoreText(found.score)]));
    case 'boxes':
      return boxLines(decoded);
    case 'ctc':
      return [decoded.score === null ? 'no text' : `${JSON.stringify(decoded.text)} (${scoreText(decoded.score)})`];
    case 'threshold': {
      const { on, score, samples } = decoded;
      return [`${on ? 'on' : 'off'} for ${samples} sample${samples === 1 ? '' : 's'} (score ${scoreText(score)})`];
    }
  }
}

function boxLines({ picture: { width, height }, boxes }: DecodedBoxes): readonly string[] {
  if (boxes.length === 0) return [`nothing found in ${width} x ${height} pixels`];
  const rows = boxes.map((box) => [
    nameOf(box),
    scoreText(box.score),
    ...[box.left, box.top, box.right, box.bottom].map((edge) => edge.toFixed(1)),
  ]);
  return [...table([['', 'score', 'left', 'top', 'right', 'bottom'], ...rows]), `in ${width} x ${height} pixels`];
}

function nameOf({ class: index, label }: ClassScore): string {
  return label ?? `class ${index}`;
}

function scoreText(score: number): string {
  return String(Number(score.toPrecision(4)));
}
