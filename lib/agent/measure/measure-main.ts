import { text } from 'node:stream/consumers';
import { asHoneError, HoneError } from '../../core/error';
import { writeWireError } from '../../protocol/wire-error';
import { holdGovernor } from './governor';
import { measurePlan } from './measure-plan';
import type { MeasureRequest, PlanMeasurement } from './plan-measurement';

/** The process that measures a plan, `measure-main PLAN`: a `MeasureRequest` on standard input, `{ found }` or `{ failed: WireError }` on standard output. */
async function main(): Promise<void> {
  let answer: object;
  try {
    answer = { found: await measure(process.argv[2] ?? '', JSON.parse(await text(process.stdin)) as MeasureRequest) };
  } catch (error) {
    answer = { failed: writeWireError(error instanceof SyntaxError ? badRequest(error) : asHoneError(error)) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function measure(plan: string, request: MeasureRequest): Promise<PlanMeasurement> {
  if (request.governor === undefined) return measurePlan(plan, request);
  const release = holdGovernor(request.governor);
  try {
    return await measurePlan(plan, request);
  } finally {
    await release();
  }
}

function badRequest(error: SyntaxError): HoneError {
  return new HoneError('E_FRAME_FORMAT', { reason: `the request is no JSON: ${error.message}` });
}

void main();
