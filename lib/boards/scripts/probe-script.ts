/** Libraries that a program may need there and whose presence is told. */
const LIBRARIES = [
  ...['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'librt.so.1'],
  ...['libgcc_s.so.1', 'libstdc++.so.6', 'libatomic.so.1', 'ld-linux-aarch64.so.1', 'ld-linux-x86-64.so.2'],
] as const;

/**
 * A script that tells what a board is, as lines `key=value`. It changes nothing: the file with which it tries the place of the folder
 * goes at once. POSIX sh and applets of busybox alone; whatever is missing is left out.
 * @param folderWord the folder as a word of the shell
 * @param port the port that will be listened on
 */
export function probeScript(folderWord: string, port: number): string {
  return `LC_ALL=C; export LC_ALL
PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"; export PATH
say() { printf '%s=%s\\n' "$1" "$2"; }
first() { [ -r "$1" ] && IFS= read -r line < "$1" && [ -n "$line" ]; } 2>/dev/null
tell() { first "$2" && say "$1" "$line"; }
has() { command -v "$1" >/dev/null 2>&1; }
say system "$(uname -s)"
say machine "$(uname -m)"
say kernel "$(uname -r)"
say class "$(dd if=/proc/self/exe bs=1 skip=4 count=1 2>/dev/null | od -An -tu1 | tr -d ' ')"
for f in /lib/ld-musl-*; do [ -e "$f" ] && say musl "$f"; done
libc=
has getconf && libc=$(getconf GNU_LIBC_VERSION 2>/dev/null)
dirs="/lib /lib64 /usr/lib /usr/lib64 /usr/local/lib"
for d in /lib/*-linux-gnu* /usr/lib/*-linux-gnu*; do [ -d "$d" ] && dirs="$dirs $d"; done
for d in $dirs; do
  [ -n "$libc" ] || { [ -x "$d/libc.so.6" ] && libc=$("$d/libc.so.6" 2>/dev/null | head -n 1); }
done
[ -n "$libc" ] && say libc "$libc"
found=
for n in ${LIBRARIES.join(' ')}; do
  for d in $dirs; do
    if [ -e "$d/$n" ]; then
      found="$found $n"
      [ "$n" = libstdc++.so.6 ] && say libstdcxx "$(readlink -f "$d/$n")"
      break
    fi
  done
done
say libraries "$found"
node=$(command -v node 2>/dev/null || command -v nodejs 2>/dev/null)
for f in "$HOME"/.local/bin/node "$HOME"/.nvm/versions/node/*/bin/node /opt/node*/bin/node; do
  [ -n "$node" ] || { [ -x "$f" ] && node=$f; }
done
if [ -n "$node" ]; then say node "$node"; say node_version "$("$node" --version 2>/dev/null)"; fi
say page "$(grep -m 1 KernelPageSize /proc/self/smaps 2>/dev/null | tr -dc 0-9)"
while read -r k v u; do
  case $k in MemTotal:) say memory "$v" ;; MemAvailable:) say available "$v" ;; SwapTotal:) say swap "$v" ;; esac
done < /proc/meminfo 2>/dev/null
least=
limit() { case $1 in ''|*[!0-9]*) ;; *) { [ -z "$least" ] || [ "$1" -lt "$least" ]; } && least=$1 ;; esac; } 2>/dev/null
p=$(grep '^0::' /proc/self/cgroup 2>/dev/null | cut -d: -f3)
while :; do
  first "/sys/fs/cgroup$p/memory.max" && limit "$line"
  case $p in ''|/) break ;; esac
  p=\${p%/*}
done
first /sys/fs/cgroup/memory/memory.limit_in_bytes && limit "$line"
[ -n "$least" ] && say cgroup_memory "$least"
say cores "$(grep -c '^processor' /proc/cpuinfo 2>/dev/null)"
field() { grep "^$1" /proc/cpuinfo 2>/dev/null | cut -d: -f2- | tr -d '\\t' | tr '\\n' ' '; }
say parts "$(field 'CPU part')"
say implementers "$(field 'CPU implementer')"
say features "$(grep -m 1 -E '^(Features|flags)' /proc/cpuinfo 2>/dev/null | cut -d: -f2-)"
say processor "$(grep -m 1 '^model name' /proc/cpuinfo 2>/dev/null | cut -d: -f2-)"
for f in /proc/device-tree/model /sys/firmware/devicetree/base/model; do
  [ -r "$f" ] && say model "$(tr -d '\\000' < "$f")" && break
done
tell vendor /sys/class/dmi/id/sys_vendor
tell product /sys/class/dmi/id/product_name
folder=${folderWord}
place=$folder
while [ ! -d "$place" ]; do
  case $place in */*) place=\${place%/*} ;; *) break ;; esac
done
[ -n "$place" ] || place=/
say folder "$folder"
case $folder in *[!A-Za-z0-9._/+@-]*) say folder_name odd ;; esac
[ -e "$folder" ] && [ ! -d "$folder" ] && say folder_kind file
df -Pk "$place" 2>/dev/null | tail -n 1 | { read -r device size used free share mount; say free "$free"; say mount "$mount"
  [ "$mount" = / ] || grep -m 1 " $mount " /proc/mounts 2>/dev/null | { read -r a b type options more; say filesystem "$type $options"; }; }
grep ' / ' /proc/mounts 2>/dev/null | tail -n 1 | { read -r a b type options more; say root "$type $options"; }
try="$place/.hone-probe-$$"
if (printf '#!/bin/sh\\nexit 0\\n' > "$try") 2>/dev/null; then
  say write yes
  chmod 700 "$try"
  if "$try" 2>/dev/null; then say execute yes; else say execute no; fi
  rm -f "$try"
else say write no; fi
tell selinux /sys/fs/selinux/enforce
tell init /proc/1/comm
if has systemctl; then
  : "\${XDG_RUNTIME_DIR:=/run/user/$(id -u)}"; export XDG_RUNTIME_DIR
  say systemd_user "$(systemctl --user is-system-running 2>/dev/null)"
fi
[ -e "/var/lib/systemd/linger/$(id -un)" ] && say linger yes
if has crontab; then
  case $(crontab -l 2>&1) in *'not allowed'*|*denied*) say cron refused ;; *)
    if pidof cron crond >/dev/null 2>&1; then say cron yes; else say cron asleep; fi ;; esac
fi
for f in /.dockerenv /run/.containerenv /run/systemd/container; do [ -e "$f" ] && say container "$f"; done
for n in sha256sum head mkdir mv rm chmod gzip sync setsid nohup kill df tr cut; do has "$n" || say lacking "$n"; done
governors= ; for f in /sys/devices/system/cpu/cpufreq/policy*/scaling_governor; do first "$f" && governors="$governors $line"; done
say governors "$governors"
for k in cpuinfo_min_freq cpuinfo_max_freq scaling_max_freq scaling_cur_freq; do tell "$k" "/sys/devices/system/cpu/cpu0/cpufreq/$k"; done
heat= ; for d in /sys/class/thermal/thermal_zone*; do
  first "$d/type" && kind=$(printf %s "$line" | tr ' :' '__') && first "$d/temp" && heat="$heat $kind:$line"
done
say thermal "$heat"
has vcgencmd && say throttled "$(vcgencmd get_throttled 2>/dev/null)"
has nvpmodel && say nvpmodel "$(nvpmodel -q 2>/dev/null | grep -m 1 'Power Mode')"
grep -i -q ":$(printf %04X ${port}) [0-9A-F]*:[0-9A-F]* 0A" /proc/net/tcp /proc/net/tcp6 2>/dev/null && say port taken
say user "$(id -un)"
say uid "$(id -u)"
say groups "$(id -Gn)"
for d in "$folder"/agent/*/; do [ -d "$d" ] && v=\${d%/} && say installed "\${v##*/}"; done
[ -e "$folder/hone-agent" ] && say launcher yes
say clock "$(date +%s)"
say end yes
`;
}
