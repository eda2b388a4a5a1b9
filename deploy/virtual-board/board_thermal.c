// SPDX-License-Identifier: GPL-2.0 OR MIT
// A thermal zone whose temperature is a parameter of the module: /sys/module/board_thermal/parameters/temp, in millidegrees Celsius.
#include <linux/err.h>
#include <linux/module.h>
#include <linux/thermal.h>

static int temp = 45000;
module_param(temp, int, 0644);

static struct thermal_zone_device *zone;

static int get_temp(struct thermal_zone_device *device, int *millidegrees)
{
	*millidegrees = READ_ONCE(temp);
	return 0;
}

static struct thermal_zone_device_ops ops = { .get_temp = get_temp };

static int __init start(void)
{
	zone = thermal_zone_device_register("cpu-emulated", 0, 0, NULL, &ops, NULL, 0, 0);
	return PTR_ERR_OR_ZERO(zone);
}

static void __exit stop(void)
{
	thermal_zone_device_unregister(zone);
}

module_init(start);
module_exit(stop);
MODULE_DESCRIPTION("Thermal zone of an emulated board");
MODULE_LICENSE("Dual MIT/GPL");
