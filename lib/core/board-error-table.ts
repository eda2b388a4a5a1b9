/** The rows of the error table about boards: reaching them, what they are, what is put on them. */
export const BOARD_ERRORS = {
  E_BOARD_DESTINATION: {
    template: "'{found}' is no board: {reason}",
    hint: 'Give local, host, user@host, ssh://user@host:port, or a name that `hone board list` shows.',
  },
  E_BOARD_UNREACHABLE: {
    template: 'board {board} cannot be reached: {reason}',
    hint: 'Check that it is on, its name or address, and that its SSH server runs.',
  },
  E_BOARD_TIMEOUT: {
    template: 'board {board} is silent: {reason}',
    hint: 'Check that it is on and in reach; a busy one may need another try.',
  },
  E_BOARD_LOGIN: {
    template: 'board {board} refuses the login: {reason}',
    hint: 'Check user and password; `ssh-copy-id` brings your key there, and `ssh -v` tells which were tried.',
  },
  E_BOARD_HOST_NEW: {
    template: 'the host key of board {board} is not known yet',
    hint: 'Run `{command}` once in a terminal and compare the fingerprint that it shows with that of the board.',
  },
  E_BOARD_HOST_KEY: {
    template: 'the host key of board {board} changed: known is {old}, it now shows {fresh}',
    hint: 'Unless you set the board up anew, another machine answers in its place. If you did, compare at the board with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`, then forget the old key: {command}',
  },
  E_BOARD_EMPTY: {
    template: 'no agent of Hone, or another one, is installed on board {board}',
    hint: 'Deploy a model there, which brings it: `hone deploy MODEL --board {board}`.',
  },
  E_BOARD_AGENT: {
    template: "the agent's program on board {board} does not run: {reason}",
    hint: 'See `hone board probe {board}`; `hone deploy MODEL --board {board}` installs it anew.',
  },
  E_BOARD_DROPPED: {
    template: 'the link to board {board} broke: {reason}',
    hint: 'Run the same command again: what has arrived there is not sent twice.',
  },
  E_BOARD_SHELL: {
    template: 'no POSIX shell answers on board {board}: {reason}',
    hint: 'The user there needs a login shell such as sh, bash, dash, ash, zsh or fish, and `sh` in its PATH.',
  },
  E_BOARD_LINK: {
    template: 'no link to board {board}: {reason}',
    hint: 'Try `ssh -v` to the same destination; Debian has ssh in the package openssh-client.',
  },
  E_BOARD_ANSWER: {
    template: 'board {board} answers what was not asked for: {reason}',
    hint: 'Check what its login files print, and that it is the machine that you mean.',
  },
  E_BOARD_ARCHITECTURE: {
    template: 'board {board} cannot run Hone: {reason}',
    hint: 'A 64-bit Linux is needed (aarch64 or x86-64): kernel and programs alike.',
  },
  E_BOARD_LIBC: {
    template: 'board {board} has {found}; glibc {floor} or newer is needed',
    hint: 'Install a newer system: Debian 10, Ubuntu 20.04, JetPack 5 and Raspberry Pi OS 11 have it; Alpine (musl) does not.',
  },
  E_BOARD_LIBRARY: {
    template: 'board {board} lacks {what}',
    hint: 'Install it there; in Debian: apt-get install libstdc++6 libatomic1.',
  },
  E_BOARD_TOOL: {
    template: 'board {board} has no {tool}',
    hint: 'Install busybox or coreutils and util-linux there.',
  },
  E_BOARD_SPACE: {
    template: 'board {board} has {free} free at {folder}; {needed} are needed',
    hint: 'Free space there, or choose another folder with `hone board add NAME BOARD --folder PATH`.',
  },
  E_BOARD_FOLDER: {
    template: 'folder {folder} of board {board} cannot be used: {reason}',
    hint: 'Choose another with `hone board add NAME BOARD --folder PATH`.',
  },
  E_BOARD_VOLATILE: {
    template: 'folder {folder} of board {board} is on {what}: what is written there may be gone after a restart',
    hint: 'Choose a folder on a real disk, or turn the overlay off while you install.',
  },
  E_BOARD_NODE: {
    template: 'no Node.js for board {board}: {reason}',
    hint: 'With a network: `{command}`. Without: give a binary of Node 20.15 or newer for it with `hone deploy --node FILE`.',
  },
  E_BOARD_CLOCK: {
    template: 'the clock of board {board} is off by {seconds} s',
    hint: 'Set it there, as with `timedatectl set-ntp true`; times of telemetry and expiry dates would be wrong.',
  },
  E_BOARD_PORT: {
    template: 'port {port} of board {board} is taken',
    hint: 'Choose another with `hone deploy --port N`, or 0 for a free one.',
  },
  E_BOARD_START: {
    template: 'the agent of board {board} will not come back by itself after a restart: {reason}',
    hint: '{advice}',
  },
  E_BOARD_SELINUX: {
    template: 'SELinux enforces its rules on board {board}',
    hint: 'If the agent does not start, `ausearch -m avc` there tells what was denied; `restorecon -R` of the folder mends labels.',
  },
  E_BOARD_MEMORY: {
    template: 'board {board} gives {found} of memory; {needed} are wanted by agent and Node.js',
    hint: 'Raise the limit of the container, add swap, or serve small models only.',
  },
  E_BOARD_THROTTLED: {
    template: 'board {board} is held back: {reason}',
    hint: 'Cool it, give it a stronger supply; figures measured now are too slow.',
  },
  E_BOARD_FULL: {
    template: 'board {board} ran out of room at {folder}: {reason}',
    hint: 'Free space there (or raise the quota), then run the same command again.',
  },
  E_BOARD_BUSY: {
    template: 'another controller works on board {board}: {reason}',
    hint: 'Try again when it is done. The lock of a controller that is gone is taken over by itself.',
  },
  E_BOARD_TRANSFER: {
    template: 'file {path} arrived changed at board {board}',
    hint: 'Run the same command again; if it happens again, check the memory and the disk of the board.',
  },
  E_BOARD_NAME: { template: "'{name}' names no board: {reason}", hint: '{advice}' },
  E_BOARD_INVENTORY: {
    template: 'the list of boards {path} cannot be read: {reason}',
    hint: 'Use the version of Hone that wrote it, or correct it; nothing of it was changed.',
  },
} as const;
