# SPDX-License-Identifier: MIT
obj-y += socket.o message.o options.o
obj-y += unix/unix.o unix/names.o unix/msg.o unix/stream.o unix/dgram.o unix/scm.o unix/gc.o unix/proc.o
cold-y := unix/proc.o
