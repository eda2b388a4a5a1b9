/**
 * What the scripts of an installation begin with: `$F`, the folder; `make`, which makes a folder and those around it and notes which
 * were not there; `fault KIND TEXT`, which ends the script; `lock`, which keeps a second controller out until the script ends.
 * @param folderWord the folder as a word of the shell
 */
export function scriptPrelude(folderWord: string): string {
  return `LC_ALL=C; export LC_ALL
PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"; export PATH
umask 077
F=${folderWord}
fault() { printf 'fault %s %s\\n' "$1" "$2"; exit 1; }
case $F in *[!A-Za-z0-9._/+@-]*) fault folder 'its path has characters other than letters, digits and . _ + @ -' ;; esac
made=
make() { [ -z "$1" ] || [ -d "$1" ] || { make "\${1%/*}" && mkdir "$1" 2>/dev/null && made="$made $1"; }; }
note_made() { for d in $made; do echo "$d" >> "$F/made"; done; made=; }
boot=
read -r boot < /proc/sys/kernel/random/boot_id 2>/dev/null
dead() { # whether the lock $1 is of a controller that is gone
  owner= of=
  read -r owner of < "$1/owner" 2>/dev/null
  case $owner in ''|*[!0-9]*) return 1 ;; esac
  [ "$of" != "$boot" ] || ! kill -0 "$owner" 2>/dev/null || grep -q '^State:.*Z' "/proc/$owner/status" 2>/dev/null
}
tidy() { rm -rf "$L"; }
lock() {
  L=$F/lock
  if ! mkdir "$L" 2>/dev/null; then
    [ -d "$L" ] || fault folder 'it cannot be written'
    dead "$L" || fault busy "process \${owner:-unknown} there holds $L"
    # Renaming lets one of several through; whoever took a live one by it puts it back.
    mv "$L" "$F/lock.$$" 2>/dev/null || fault busy 'another controller begins as well'
    dead "$F/lock.$$" || { mv "$F/lock.$$" "$L"; fault busy "process $owner there holds $L"; }
    rm -rf "$F/lock.$$"
    mkdir "$L" 2>/dev/null || fault busy 'another controller begins as well'
  fi
  trap tidy EXIT
  trap 'exit 129' HUP INT TERM
  echo "$$ $boot" > "$L/owner" || fault space 'no room for a lock'
}
alive() { # whether the process of $F/run/agent.pid is the agent of this folder
  pid=
  read -r pid < "$F/run/agent.pid" 2>/dev/null
  case $pid in ''|*[!0-9]*) return 1 ;; esac
  tr '\\000' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -q "$F/.* serve"
}
`;
}
