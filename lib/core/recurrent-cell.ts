/** What one step of a recurrent layer computes; the place in the list is the number in plan files. */
export const RECURRENT_CELLS = ['rnn', 'gru', 'lstm'] as const;
export type RecurrentCell = (typeof RECURRENT_CELLS)[number];

/** Ways through the steps of a sequence; the place in the list is the number in plan files. */
export const RECURRENT_DIRECTIONS = ['forward', 'reverse', 'bidirectional'] as const;
export type RecurrentDirection = (typeof RECURRENT_DIRECTIONS)[number];
