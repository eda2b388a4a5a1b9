/** Rows of the error table that tell of what is sent to a board, and of the agent there. */
export const BLOB_ERRORS = {
  E_AGENT_DOWN: {
    template: 'no agent runs in {folder}: {reason}',
    hint: 'Deploy to the board again, which starts it, or start it there: `node hone-agent.js serve --folder FOLDER`.',
  },
  E_BLOB_DIGEST: {
    template: 'what arrived as {expected} is {found}',
    hint: 'Send it again; what had arrived was thrown away. Where it happens again, memory or storage is at fault.',
  },
  E_BLOB_OFFSET: {
    template: 'bytes of {sha256} from {found} on were sent, and {expected} have arrived',
    hint: 'Ask which bytes are there and go on behind them.',
  },
  E_BLOB_UNKNOWN: { template: 'the board does not have {sha256}', hint: 'Send it first.' },
  E_BLOB_BUSY: {
    template: 'somebody else sends {sha256} to this board',
    hint: 'Wait until that is done; what has arrived need not be sent again.',
  },
  E_DISK_FULL: {
    template: 'no room for {path}: {reason}',
    hint: 'Free space on the board; what has arrived is kept, and what is served goes on.',
  },
  E_AGENT_IMAGE: {
    template: 'what a board of {platform} needs is not here: {path}',
    hint: 'Make it with `{command}`, or install the package, which has it.',
  },
} as const;
