/* SPDX-License-Identifier: MIT */
/*
 * The options of a mount, "uid=5,mode=0700": split at the commas, each as one key and value for the file system to judge. Source: mount(2), mount(8).
 */
#include <fs/internal.h>

int mount_options(const char *data, mount_option_fn *fn, void *ctx)
{
	char *copy, *p, *next;
	int r = 0;

	if (!data || !*data)
		return 0;
	copy = kstrdup(data, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	for (p = copy; p && !r; p = next) {
		char *val;

		next = strchr(p, ',');
		if (next)
			*next++ = '\0';
		if (!*p)
			continue;
		val = strchr(p, '=');
		if (val)
			*val++ = '\0';
		r = fn(ctx, p, val);
	}
	kfree(copy);
	return r;
}

int mount_option_u32(const char *val, unsigned int base, u32 *out)
{
	return val && !kstrtou32(val, base, out) ? 0 : -EINVAL;
}

int mount_option_owner(const char *key, const char *val, struct mount_owner *owner)
{
	u32 v;
	int r;

	if (!strcmp(key, "mode")) {
		r = mount_option_u32(val, 8, &v);
		if (!r)
			owner->mode = v & S_IALLUGO;
		return r;
	}
	if (strcmp(key, "uid") != 0 && strcmp(key, "gid") != 0)
		return -ENOENT;
	r = mount_option_u32(val, 0, &v);
	if (!r && v == (u32)-1)
		r = -EINVAL;
	if (!r && *key == 'u')
		owner->uid = v;
	else if (!r)
		owner->gid = v;
	return r;
}
