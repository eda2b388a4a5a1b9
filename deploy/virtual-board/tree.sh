#!/bin/sh
# tree.sh DEBS RECIPE OUT: unpacks Debian's packages, configures them by hand (no program of the board runs here) and writes
# OUT/board.ext4. Runs under fakeroot, so that files can belong to root and pi without privileges. Needs what kernel.sh wrote.
set -eu
debs=$1 recipe=$2 out=$3
export PATH="$PATH:/usr/sbin:/sbin"
tree=$out/tree
version=$(cat "$out/kernel.version")
mkdir -p "$tree"

# Debian's packages over merged /usr, without documents and without what only their maintainer scripts would run.
mkdir -p "$tree/usr/bin" "$tree/usr/sbin" "$tree/usr/lib"
for folder in bin sbin lib; do ln -s "usr/$folder" "$tree/$folder"; done
for deb in "$debs"/*.deb; do
  case $(basename "$deb") in
    linux-* | perl* | libperl* | *-perl_* | debconf_* | dpkg_* | udev_* | ucf_* | xml-core_* | sgml-base_* | adduser_* | usrmerge_*) continue ;;
  esac
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tree" --keep-directory-symlink --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' \
    --exclude='./usr/share/locale/*' --exclude='./usr/share/info/*' --exclude='./usr/share/bash-completion/*' --exclude='./usr/share/zsh/*'
done

# What the maintainer scripts would have done.
ln -sf dash "$tree/bin/sh"
ln -sf mawk "$tree/usr/bin/awk"
cp "$tree/usr/share/base-passwd/passwd.master" "$tree/etc/passwd"
cp "$tree/usr/share/base-passwd/group.master" "$tree/etc/group"
sed -i 's#^root:[^:]*:\(.*\):[^:]*$#root:x:\1:/bin/sh#; s#^\([^:]*\):\*:#\1:x:#' "$tree/etc/passwd"
number=100
for user in sshd messagebus polkitd systemd-network systemd-resolve systemd-timesync; do
  echo "$user:x:$number:$number::/nonexistent:/usr/sbin/nologin" >> "$tree/etc/passwd"
  echo "$user:x:$number:" >> "$tree/etc/group"
  number=$((number + 1))
done
for group in crontab systemd-journal kvm render sgx input; do
  echo "$group:x:$number:" >> "$tree/etc/group"
  number=$((number + 1))
done
echo 'pi:x:1000:1000:user of the board:/home/pi:/bin/sh' >> "$tree/etc/passwd"
echo 'pi:x:1000:' >> "$tree/etc/group"
cut -d: -f1 "$tree/etc/passwd" | sed 's/$/:*:19000:0:99999:7:::/' > "$tree/etc/shadow"
cut -d: -f1 "$tree/etc/group" | sed 's/$/:*::/' > "$tree/etc/gshadow"
chown 0:42 "$tree/etc/shadow" "$tree/etc/gshadow"
chmod 640 "$tree/etc/shadow" "$tree/etc/gshadow"
cp "$tree/usr/share/base-files/profile" "$tree/etc/profile"
cp "$tree/usr/share/libc-bin/nsswitch.conf" "$tree/etc/nsswitch.conf"
id_of() { sed -n "s/^$1:x:\([0-9]*\):.*/\1/p" "$tree/etc/group"; }
crontab=$(id_of crontab)
chgrp "$crontab" "$tree/usr/bin/crontab"
chmod 2755 "$tree/usr/bin/crontab"
rm -rf "$tree/var/run" "$tree/var/lock"
ln -s /run "$tree/var/run"
ln -s /run/lock "$tree/var/lock"
mkdir -p "$tree/var/spool/cron/crontabs" "$tree/var/log/journal" "$tree/var/lib/systemd/linger"
chgrp "$crontab" "$tree/var/spool/cron/crontabs"
chmod 1730 "$tree/var/spool/cron/crontabs"

chown -R "$(id_of polkitd)" "$tree/var/lib/polkit-1" "$tree/etc/polkit-1/rules.d" "$tree/usr/share/polkit-1/rules.d"
chown "0:$(id_of messagebus)" "$tree/usr/lib/dbus-1.0/dbus-daemon-launch-helper"
chmod 4754 "$tree/usr/lib/dbus-1.0/dbus-daemon-launch-helper"
: > "$tree/etc/environment"
: > "$tree/etc/default/locale"

# What makes it this board.
cp -R "$recipe/root/." "$tree/"
chmod 755 "$tree"/usr/local/sbin/*
echo 4a5f8e0c1b7d4f3e9a2c6d8b0e1f2a3b > "$tree/etc/machine-id"
mkdir -p "$tree/usr/lib/board"
ln -s /usr/bin/busybox "$tree/usr/lib/board/init"
wants=$tree/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants" "$tree/etc/systemd/system/sysinit.target.wants"
ln -s /lib/systemd/system/ssh.service "$wants/ssh.service"
ln -s /lib/systemd/system/cron.service "$wants/cron.service"
ln -s ../board-sensors.service "$wants/board-sensors.service"
ln -s ../board-network.service "$tree/etc/systemd/system/sysinit.target.wants/board-network.service"
ln -sf /lib/systemd/system/multi-user.target "$tree/etc/systemd/system/default.target"
for unit in systemd-networkd.service systemd-networkd.socket systemd-udevd.service systemd-hwdb-update.service systemd-sysusers.service \
  systemd-firstboot.service systemd-pcrphase.service systemd-pcrphase-sysinit.service systemd-update-done.service ldconfig.service \
  systemd-binfmt.service systemd-modules-load.service dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
  sys-kernel-config.mount sys-fs-fuse-connections.mount dev-mqueue.mount modprobe@.service kmod-static-nodes.service \
  systemd-tmpfiles-setup-dev.service systemd-remount-fs.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
  systemd-tmpfiles-clean.timer getty.target; do
  ln -sf /dev/null "$tree/etc/systemd/system/$unit"
done
install -m 600 "$out/hostkey" "$tree/etc/ssh/ssh_host_ed25519_key"
install -m 644 "$out/hostkey.pub" "$tree/etc/ssh/ssh_host_ed25519_key.pub"
install -d -m 700 "$tree/root" "$tree/root/.ssh"
install -m 600 "$out/identity.pub" "$tree/root/.ssh/authorized_keys"
install -d -m 755 "$tree/home/pi"
install -d -m 700 "$tree/home/pi/.ssh"
install -m 600 "$out/identity.pub" "$tree/home/pi/.ssh/authorized_keys"
chown -R 1000:1000 "$tree/home/pi"

modules=$tree/lib/modules/$version
mkdir -p "$modules/extra"
cp "$out/kernel/lib/modules/$version"/modules.builtin "$out/kernel/lib/modules/$version"/modules.order \
  "$out/kernel/lib/modules/$version"/modules.builtin.modinfo "$modules/"
while read -r module; do install -D -m 644 "$out/kernel/lib/modules/$version/$module" "$modules/$module"; done < "$out/modules.list"
install -m 644 "$out"/drivers/*.ko "$modules/extra/"
depmod -b "$tree" "$version"
touch "$tree/etc/.updated" "$tree/var/.updated"
chown -R 0:0 "$tree/lib/modules" "$tree/usr/local" "$tree/usr/lib/board"
mke2fs -q -F -t ext4 -L board -m 0 -d "$tree" -E root_owner=0:0 "$out/board.ext4" 1G
