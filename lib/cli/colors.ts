import picocolors from 'picocolors';

/**
 * Colours for a terminal, none elsewhere: in a pipe, under `NO_COLOR`, or in a log of a CI machine; `FORCE_COLOR` asks for them all the
 * same.
 */
export const colors = picocolors.createColors(
  !process.env.NO_COLOR &&
    (Boolean(process.env.FORCE_COLOR) || (process.stdout.isTTY === true && process.env.TERM !== 'dumb')),
);
