/** Thrown inside a lowering when the engine cannot run a node; becomes a diagnostic. */
export class Unsupported extends Error {}
