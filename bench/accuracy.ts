import { percentText } from '../lib/cli/text';
import { decibelsText } from '../lib/compress/quantize/measure-quality';
import { type Evaluation, evaluateArtifact } from '../lib/jobs/evaluate';
import type { TrialContext, TrialOutcome, TrialRecord } from './trial';

/** Accuracy that int8 may cost, as a share, besides its standard error. */
const DROP_BAR = 0.005;
/** Share of samples on which int8 and float must name the same class. */
const AGREEMENT_BAR = 0.98;

/** Accuracy of the integer engine beside the float model in onnxruntime, on samples that calibration never saw. */
export async function runAccuracy({ models, say }: TrialContext): Promise<TrialOutcome> {
  const records: TrialRecord[] = [];
  const rows: string[][] = [['model', 'samples', 'float', 'int8', 'drop', '± s.e.', 'agreement', 'SQNR dB', 'bar']];
  const missed: string[] = [];
  for (const files of models.present) {
    say(`accuracy: ${files.label}`);
    const { float, calibrationPath, testPath } = await models.load(files);
    const evaluation = await evaluateArtifact(float, { data: testPath, calibration: calibrationPath });
    const { samples, sqnrDb } = evaluation;
    const [floatAccuracy, int8Accuracy] = [required(evaluation, 'floatAccuracy'), required(evaluation, 'accuracy')];
    const [drop, dropStandardError] = [required(evaluation, 'drop'), required(evaluation, 'dropStandardError')];
    const agreement = required(evaluation, 'agreement');
    const met = drop <= DROP_BAR + dropStandardError && agreement >= AGREEMENT_BAR;
    if (!met) missed.push(`accuracy of ${files.label}`);
    records.push({
      model: `${files.name}.onnx`,
      calibration: files.calibration,
      test: files.test,
      samples,
      floatAccuracy,
      int8Accuracy,
      drop,
      dropStandardError,
      agreement,
      sqnrDb,
      bars: { drop: DROP_BAR, agreement: AGREEMENT_BAR },
    });
    rows.push([
      files.label,
      String(samples),
      ...[floatAccuracy, int8Accuracy, drop, dropStandardError, agreement].map((share) => percentText(share)),
      decibelsText(sqnrDb ?? Number.NaN, true),
      met ? 'met' : 'missed',
    ]);
  }
  return { records, table: rows, skipped: models.skipped, missed };
}

/** A number that this trial cannot do without. */
function required(
  evaluation: Evaluation,
  measure: 'accuracy' | 'floatAccuracy' | 'drop' | 'dropStandardError' | 'agreement',
): number {
  const value = evaluation[measure];
  if (value === null) throw new Error(`no ${measure}: ${evaluation.reasons[measure]}`);
  return value;
}
