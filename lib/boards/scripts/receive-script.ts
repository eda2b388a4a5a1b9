import { scriptPrelude } from './prelude';

/** A file as the script that receives it knows it. */
export interface ReceivedFile {
  /** Below the folder; letters, digits, `.`, `_`, `-` and `/` alone. */
  readonly path: string;
  /** Permissions in octal digits. */
  readonly mode: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Files from this size on are not hashed again when they are there under their name, whose folder is called after their digest. */
const HASHED_BYTES = 8 << 20;

/**
 * A script that receives files: it says which are there (`have INDEX`) and `ready`, reads one line `NAME SIZE INDEX:LENGTH...` about
 * what will come, says `offset N` (the bytes of it that came before), and reads the rest to its end: the missing files, each compressed
 * by gzip, one behind the other. They are unpacked under other names, verified, brought to the disk, and take their names in the
 * order of the list. A stream that breaks or stalls leaves what has come for the next try.
 */
export function receiveScript(folderWord: string, files: readonly ReceivedFile[]): string {
  const items = files.map(
    ({ path, mode, sha256, sizeBytes }, index) => `item ${index} ${path} ${mode} ${sha256} ${sizeBytes}`,
  );
  return `${scriptPrelude(folderWord)}
make "$F" || fault folder 'it cannot be made'
note_made 2>/dev/null || fault folder 'it cannot be written'
lock
P=$F/partial
make "$P" || fault folder 'it cannot be written'
same() { # whether file $1 has digest $2 and size $3
  [ -f "$1" ] && [ "$(wc -c < "$1" | tr -d ' ')" = "$3" ] || return 1
  [ "$3" -ge ${HASHED_BYTES} ] || digest "$1" "$2"
}
digest() { case $(sha256sum < "$1") in "$2"*) return 0 ;; esac; return 1; }
item() { same "$F/$2" "$4" "$5" && { chmod "$3" "$F/$2"; echo "have $1"; }; }
each() {
${items.map((item) => `  ${item}`).join('\n')}
}
each
# A controller that went away without a word would hold the lock for hours: what does not grow for half a minute is given up.
(
  idle=0; last=; now=
  while [ $idle -lt 3 ] && sleep 10 && kill -0 $$; do
    for b in "$P"/*; do [ -f "$b" ] && now=$(wc -c < "$b"); done
    if [ "$now" = "$last" ]; then idle=$((idle + 1)); else idle=0; last=$now; fi
  done
  kill -TERM $$
) < /dev/null > /dev/null 2>&1 &
dog=$!
cat=
tidy() { kill $dog $cat 2>/dev/null; rm -rf "$L"; }
echo ready
read -r name size parts || { rmdir "$P" 2>/dev/null; exit 0; }
case $name$size in *[!0-9a-f]*) fault answer 'what will come is not described' ;; esac
B=$P/$name
for old in "$P"/*; do [ "$old" = "$B" ] || rm -rf "$old"; done
came=0
[ -f "$B" ] && came=$(wc -c < "$B" | tr -d ' ')
[ "$came" -le "$size" ] || { rm -f "$B"; came=0; }
echo "offset $came"
# Standard input of what runs beside is empty unless it is said otherwise.
exec 3<&0
cat <&3 >> "$B" &
cat=$!
wait $cat || { rm -f "$B"; fault space 'it could not take all that was sent'; }
kill $dog 2>/dev/null
cat=
came=$(wc -c < "$B" | tr -d ' ')
[ "$came" = "$size" ] || fault short "$came of $size bytes came"
item() {
  length=
  for part in $parts; do [ "\${part%:*}" = "$1" ] && length=\${part#*:}; done
  [ -n "$length" ] || return 0
  tail -c +$((at + 1)) "$B" | head -c "$length" | gzip -dc > "$P/$1.new" || { rm -f "$P"/*.new; fault space 'it could not take what was unpacked'; }
  at=$((at + length))
  digest "$P/$1.new" "$4" || { rm -rf "$P"; fault digest "$2"; }
  chmod "$3" "$P/$1.new"
  sync "$P/$1.new" 2>/dev/null || sync
}
at=0
each
item() {
  [ -f "$P/$1.new" ] || return 0
  make "$F/$(dirname "$2")" && mv -f "$P/$1.new" "$F/$2" || fault folder "$2 cannot be written"
  sync "$F/$(dirname "$2")" 2>/dev/null || sync
}
each
rm -rf "$P"
echo done
`;
}
