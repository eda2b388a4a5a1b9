#!/bin/sh
# kernel.sh DEBS RECIPE OUT: unpacks the kernel into OUT/kernel, builds the sensor drivers from Debian's source into OUT/drivers,
# and writes OUT/vmlinuz, OUT/initrd.zst and OUT/modules.list (what the root file system gets). Needs no privileges.
set -eu
debs=$1 recipe=$2 out=$3
export PATH="$PATH:/usr/sbin:/sbin"
kernel=$out/kernel headers=$out/headers drivers=$out/drivers
mkdir -p "$kernel" "$headers" "$drivers"

dpkg-deb -x "$debs"/linux-image-*.deb "$kernel"
version=$(ls "$kernel/lib/modules")
depmod -b "$kernel" "$version"
cp "$kernel/boot/vmlinuz-$version" "$out/vmlinuz"
insmod_list() {
  for module in "$@"; do modprobe -d "$kernel" -S "$version" --show-depends "$module"; done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# The drivers that Debian leaves out of its arm64 kernel, and a thermal zone.
for deb in "$debs"/linux-headers-*.deb "$debs"/linux-kbuild-*.deb; do dpkg-deb -x "$deb" "$headers"; done
dpkg-deb --fsys-tarfile "$debs"/linux-source-*.deb | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
  tar -xJ -C "$drivers" --strip-components=3 --wildcards '*/drivers/i2c/i2c-stub.c' '*/drivers/hwmon/ina2xx.c' '*/drivers/hwmon/ina3221.c'
cp "$recipe/board_thermal.c" "$drivers/"
common=$(basename "$headers"/usr/src/linux-headers-*-common)
tree=$headers/usr/src/linux-headers-$version
mv "$drivers"/i2c/*.c "$drivers"/hwmon/*.c "$drivers" 2>/dev/null || true
echo "include $headers/usr/src/$common/Makefile" > "$tree/Makefile"
printf 'override ARCH = arm64\noverride KERNELRELEASE = %s\noverride CROSS_COMPILE = aarch64-linux-gnu-\nCC = $(CROSS_COMPILE)gcc\nDEBIAN_KERNEL_NO_CC_VERSION_CHECK = y\n' \
  "$version" > "$tree/.kernelvariables"
echo 'obj-m := i2c-stub.o ina2xx.o ina3221.o board_thermal.o' > "$drivers/Makefile"
make -s -j"$(nproc)" -C "$tree" M="$drivers" modules
for module in i2c-stub ina2xx ina3221 board_thermal; do aarch64-linux-gnu-strip --strip-debug "$drivers/$module.ko"; done

insmod_list virtio_net virtio-rng ext4 overlay squashfs loop sch_netem sch_tbf i2c-dev regmap-i2c | sed "s#^$kernel/lib/modules/$version/##" > "$out/modules.list"
echo "$version" > "$out/kernel.version"

# The initramfs: what the disk, the network and the root file system need, then /sbin/init or what `board.init=` names.
first=$out/first
mkdir -p "$first/bin" "$first/proc" "$first/sys" "$first/dev" "$first/new" "$first/modules"
dpkg-deb --fsys-tarfile "$debs"/busybox-static_*.deb | tar -xO ./bin/busybox > "$first/bin/busybox"
chmod 755 "$first/bin/busybox"
for applet in sh mount umount insmod switch_root sleep sed; do ln -s busybox "$first/bin/$applet"; done
insmod_list virtio_mmio virtio_blk virtio_net virtio-rng ext4 crc32c_generic | while read -r module; do
  cp "$module" "$first/modules/"
  basename "$module" >> "$first/order"
done
cp "$recipe/first-init" "$first/init"
chmod 755 "$first/init"
(cd "$first" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) | zstd -q -10 -f -o "$out/initrd.zst"
