/* SPDX-License-Identifier: MIT */
/* Terminal settings. Source: termios(3), asm-generic/termbits.h (the same on all four architectures). */
#ifndef UAPI_TERMIOS_H
#define UAPI_TERMIOS_H

#include <types.h>

#define NCCS 19
struct termios {
	u32 c_iflag, c_oflag, c_cflag, c_lflag;
	u8 c_line, c_cc[NCCS];
};
struct termios2 {
	u32 c_iflag, c_oflag, c_cflag, c_lflag;
	u8 c_line, c_cc[NCCS];
	u32 c_ispeed, c_ospeed;
};
_Static_assert(sizeof(struct termios) == 36 && sizeof(struct termios2) == 44, "ABI");
struct termio {
	u16 c_iflag, c_oflag, c_cflag, c_lflag;
	u8 c_line, c_cc[8];
};
struct winsize {
	u16 ws_row, ws_col, ws_xpixel, ws_ypixel;
};

enum {
	VINTR,
	VQUIT,
	VERASE,
	VKILL,
	VEOF,
	VTIME,
	VMIN,
	VSWTC,
	VSTART,
	VSTOP,
	VSUSP,
	VEOL,
	VREPRINT,
	VDISCARD,
	VWERASE,
	VLNEXT,
	VEOL2
};

#define IGNBRK	0000001
#define BRKINT	0000002
#define IGNPAR	0000004
#define PARMRK	0000010
#define INPCK	0000020
#define ISTRIP	0000040
#define INLCR	0000100
#define IGNCR	0000200
#define ICRNL	0000400
#define IUCLC	0001000
#define IXON	0002000
#define IXANY	0004000
#define IXOFF	0010000
#define IMAXBEL 0020000
#define IUTF8	0040000

#define OPOST	0000001
#define OLCUC	0000002
#define ONLCR	0000004
#define OCRNL	0000010
#define ONOCR	0000020
#define ONLRET	0000040
#define TABDLY	0014000
#define XTABS	0014000

#define CBAUD	0010017
#define B38400	0000017
#define BOTHER	0010000
#define CSIZE	0000060
#define CS8	0000060
#define CREAD	0000200
#define HUPCL	0002000
#define CLOCAL	0004000

#define ISIG	0000001
#define ICANON	0000002
#define XCASE	0000004
#define ECHO	0000010
#define ECHOE	0000020
#define ECHOK	0000040
#define ECHONL	0000100
#define NOFLSH	0000200
#define TOSTOP	0000400
#define ECHOCTL 0001000
#define ECHOPRT 0002000
#define ECHOKE	0004000
#define FLUSHO	0010000
#define PENDIN	0040000
#define IEXTEN	0100000
#define EXTPROC 0200000

#define TCOOFF 0
#define TCOON  1
#define TCIOFF 2
#define TCION  3
#define TCIFLUSH  0
#define TCOFLUSH  1
#define TCIOFLUSH 2

#define TIOCPKT_DATA	   0
#define TIOCPKT_FLUSHREAD  1
#define TIOCPKT_FLUSHWRITE 2
#define TIOCPKT_STOP	   4
#define TIOCPKT_START	   8
#define TIOCPKT_NOSTOP	   16
#define TIOCPKT_DOSTOP	   32

#endif
