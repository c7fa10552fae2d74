# SPDX-License-Identifier: MIT
"""Caelum's configuration commands, over kconfiglib.

Usage: kconfig.py --out DIR COMMAND

  defconfig BASE [FRAGMENT...]   write DIR/.config from a minimal configuration and fragments over it
  olddefconfig                   give new options in DIR/.config their defaults
  menuconfig                     edit DIR/.config
  savedefconfig FILE             write FILE: only what differs from the defaults
  sync                           write what the build reads: include/config.mk, include/generated/autoconf.h

The environment variable ARCH says which architecture's options apply.
"""
import argparse
import os
import sys

try:
    import kconfiglib
except ImportError:
    sys.exit("kconfig: python3-kconfiglib is missing: run scripts/bootstrap")


def load(out, files=None):
    """Read the Kconfig files, then the given configuration files or DIR/.config."""
    kconf = kconfiglib.Kconfig("Kconfig", suppress_traceback=True)
    kconf.warn_assign_override = False
    kconf.warn_assign_redun = False
    for i, name in enumerate(files if files is not None else [os.path.join(out, ".config")]):
        if not os.path.exists(name):
            sys.exit(f"kconfig: {name} does not exist")
        kconf.load_config(name, replace=i == 0)
    if kconf.missing_syms:
        names = ", ".join(name for name, _ in kconf.missing_syms)
        sys.exit(f"kconfig: no such option: {names}")
    return kconf


def sync(kconf, out):
    generated = os.path.join(out, "include", "generated")
    os.makedirs(generated, exist_ok=True)
    kconf.write_autoconf(os.path.join(generated, "autoconf.h"))
    with open(os.path.join(out, "include", "config.mk"), "w", encoding="utf-8") as f:
        for sym in kconf.unique_defined_syms:
            text = sym.config_string
            if text and not text.startswith("#"):
                f.write(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("command")
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    config = os.path.join(args.out, ".config")
    os.makedirs(args.out, exist_ok=True)

    if args.command == "defconfig":
        load(args.out, args.files).write_config(config, save_old=False)
    elif args.command == "olddefconfig":
        load(args.out, None if os.path.exists(config) else []).write_config(config, save_old=False)
    elif args.command == "menuconfig":
        import menuconfig
        os.environ["KCONFIG_CONFIG"] = config
        menuconfig.menuconfig(load(args.out, None if os.path.exists(config) else []))
    elif args.command == "savedefconfig":
        load(args.out).write_min_config(args.files[0])
    elif args.command == "sync":
        sync(load(args.out), args.out)
    else:
        parser.error(f"unknown command {args.command}")


if __name__ == "__main__":
    main()
