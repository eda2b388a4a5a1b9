import { scriptPrelude } from './prelude';

/** How the agent of a folder is run. */
export interface ServiceSettings {
  readonly folderWord: string;
  /** Name of the unit of systemd, without its ending. */
  readonly unit: string;
  /** Words behind `hone-agent`, none of which a shell reads otherwise; `$F` is the folder. */
  readonly words: string;
}

/** Whether the user's systemd can be asked; sets `$units`, where its units lie. */
const SYSTEMD = `units=\${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
systemd() {
  command -v systemctl >/dev/null 2>&1 || return 1
  : "\${XDG_RUNTIME_DIR:=/run/user/$(id -u)}"; export XDG_RUNTIME_DIR
  case $(systemctl --user is-system-running 2>/dev/null) in running|degraded|starting) return 0 ;; esac
  return 1
}
stop() {
  [ -f "$units/$U.service" ] && systemd && systemctl --user stop "$U" >/dev/null 2>&1
  if alive; then
    kill -TERM "$pid" 2>/dev/null
    tries=0
    while alive && [ $tries -lt 100 ]; do sleep 0.1 2>/dev/null || sleep 1; tries=$((tries + 1)); done
    alive && kill -KILL "$pid" 2>/dev/null
  fi
  rm -f "$F/run/agent.pid" "$F/run/control.sock" "$F/run/started"
}
uncron() { # writes the crontab without our line, or removes it when nothing else is in it
  command -v crontab >/dev/null 2>&1 || return 0
  crontab -l 2>/dev/null | grep -q "# hone $F\\$" || return 0
  kept=$(crontab -l 2>/dev/null | grep -v "# hone $F\\$")
  if [ -n "$kept" ]; then printf '%s\\n' "$kept" | crontab -; else crontab -r; fi
}
`;

/**
 * A script that starts the agent: by the user's systemd, else now and by cron at each start of the board, else now. It says
 * `by HOW` and `running` once the agent can be asked. One that runs with the same program and settings is left alone.
 */
export function startScript({ folderWord, unit, words }: ServiceSettings): string {
  return `${scriptPrelude(folderWord)}
U=${unit}
${SYSTEMD}
[ -x "$F/hone-agent" ] || fault start 'nothing is installed'
lock
for d in run logs; do make "$F/$d" || fault folder 'it cannot be written'; done
made=
wanted="$(sha256sum < "$F/hone-agent" | cut -c 1-64) ${words}"
how=; before=
[ -f "$F/run/started" ] && { read -r how; read -r before; } < "$F/run/started"
if [ "$before" = "$wanted" ] && [ -S "$F/run/control.sock" ]; then
  case $how in
    systemd|session) systemd && systemctl --user -q is-active "$U" && up=yes ;;
    *) alive && up=yes ;;
  esac
  [ "$up" = yes ] && { echo "by $how"; echo unchanged; echo running; exit 0; }
fi
stop
uncron
if systemd && make "$units"; then
  how=systemd
  note_made
  cat > "$units/$U.service" <<UNIT || fault space 'no room for a unit of systemd'
[Unit]
Description=Agent of Hone in $F

[Service]
ExecStart=$F/hone-agent ${words}
Restart=on-failure
RestartSec=2
StandardOutput=append:$F/logs/agent.log
StandardError=append:$F/logs/agent.log

[Install]
WantedBy=default.target
UNIT
  [ -d "$units/default.target.wants" ] || echo "$units/default.target.wants" >> "$F/made"
  systemctl --user daemon-reload && systemctl --user enable -q "$U" && systemctl --user restart "$U" ||
    fault start "systemd: $(systemctl --user status "$U" 2>&1 | head -n 3 | tr '\\n' ' ')"
  if ! [ -e "/var/lib/systemd/linger/$(id -un)" ]; then
    loginctl enable-linger >/dev/null 2>&1 && : > "$F/linger"
    [ -e "/var/lib/systemd/linger/$(id -un)" ] || how=session
  fi
else
  how=hand
  line="@reboot $F/hone-agent ${words} >> $F/logs/agent.log 2>&1 # hone $F"
  if command -v crontab >/dev/null 2>&1 && pidof cron crond >/dev/null 2>&1; then
    old=$(crontab -l 2>/dev/null)
    { [ -z "$old" ] || printf '%s\\n' "$old"; printf '%s\\n' "$line"; } | crontab - >/dev/null 2>&1 && how=cron
  fi
  trap '' HUP
  if command -v setsid >/dev/null 2>&1; then
    setsid "$F/hone-agent" ${words} >> "$F/logs/agent.log" 2>&1 < /dev/null &
  else
    "$F/hone-agent" ${words} >> "$F/logs/agent.log" 2>&1 < /dev/null &
  fi
  echo $! > "$F/run/agent.pid"
fi
printf '%s\\n%s\\n' "$how" "$wanted" > "$F/run/started"
echo "by $how"
tries=0
while ! [ -S "$F/run/control.sock" ]; do
  tries=$((tries + 1))
  case $how in
    systemd|session) systemctl --user -q is-failed "$U" && up=no ;;
    *) kill -0 "$(cat "$F/run/agent.pid")" 2>/dev/null || up=no ;;
  esac
  [ "$up" = no ] || [ $tries -gt 600 ] && { rm -f "$F/run/started"; fault start "$(tail -n 3 "$F/logs/agent.log" | tr '\\n' ' ' | cut -c 1-600)"; }
  sleep 0.1 2>/dev/null || sleep 1
done
for d in "$F"/agent/* "$F"/node/*; do
  [ -d "$d" ] && { grep -q "\${d#$F/}/" "$F/hone-agent" || rm -rf "$d"; }
done
echo running
`;
}

/** A script that stops the agent of a folder; it says whether one ran. What starts it with the board stays. */
export function stopScript({ folderWord, unit }: Omit<ServiceSettings, 'words'>): string {
  return `${scriptPrelude(folderWord)}
U=${unit}
${SYSTEMD}
[ -d "$F" ] || { echo absent; exit 0; }
lock
if alive || { [ -f "$units/$U.service" ] && systemd && systemctl --user -q is-active "$U"; }; then echo stopped; else echo absent; fi
stop
`;
}

/**
 * A script that undoes an installation: agent, models, what starts it, and each folder that was made for it. It says `left NAME` of
 * what was not its own.
 */
export function removeScript({ folderWord, unit }: Omit<ServiceSettings, 'words'>): string {
  return `${scriptPrelude(folderWord)}
U=${unit}
${SYSTEMD}
[ -d "$F" ] || { echo absent; exit 0; }
[ -f "$F/made" ] || [ -f "$F/hone-agent" ] || [ -d "$F/partial" ] || fault folder 'it is no installation of Hone'
lock
stop
if [ -f "$units/$U.service" ]; then
  systemd && systemctl --user disable -q "$U" >/dev/null 2>&1
  rm -f "$units/$U.service" "$units/default.target.wants/$U.service"
  systemd && systemctl --user daemon-reload
fi
[ -f "$F/linger" ] && loginctl disable-linger >/dev/null 2>&1
uncron
folders=
while read -r d; do folders="$d $folders"; done < "$F/made" 2>/dev/null
trap - EXIT
case " $folders" in
  *" $F "*) rm -rf "$F" ;;
  *) for n in agent node blobs models run logs partial lock linger made hone-agent catalogue.json; do rm -rf "$F/$n"; done
    for f in "$F"/* "$F"/.[!.]*; do [ -e "$f" ] && echo "left \${f##*/}"; done ;;
esac
[ -e "$F" ] && case " $folders" in *" $F "*) fault folder 'not all of it can be removed' ;; esac
for d in $folders; do [ "$d" = "$F" ] || rmdir "$d" 2>/dev/null; done
echo removed
`;
}
