/* SPDX-License-Identifier: MIT */
/* Generic ioctl numbers. Source: ioctl_tty(2), asm-generic/ioctls.h. */
#ifndef UAPI_IOCTL_H
#define UAPI_IOCTL_H

#define _IOC(dir, type, nr, size) (((unsigned)(dir) << 30) | ((unsigned)(size) << 16) | ((type) << 8) | (nr))
#define _IO(t, n)	_IOC(0, t, n, 0)
#define _IOW(t, n, s)	_IOC(1, t, n, sizeof(s))
#define _IOR(t, n, s)	_IOC(2, t, n, sizeof(s))
#define _IOWR(t, n, s)	_IOC(3, t, n, sizeof(s))

#define TCGETS	   0x5401
#define TCSETS	   0x5402
#define TCSETSW	   0x5403
#define TCSETSF	   0x5404
#define TCGETA	   0x5405
#define TCSETA	   0x5406
#define TCSETAW	   0x5407
#define TCSETAF	   0x5408
#define TCSBRK	   0x5409
#define TCXONC	   0x540A
#define TCFLSH	   0x540B
#define TIOCEXCL   0x540C
#define TIOCNXCL   0x540D
#define TIOCSCTTY  0x540E
#define TIOCGPGRP  0x540F
#define TIOCSPGRP  0x5410
#define TIOCOUTQ   0x5411
#define TIOCSTI	   0x5412
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define TIOCMGET   0x5415
#define FIONREAD   0x541B
#define TIOCINQ	   FIONREAD
#define TIOCCONS   0x541D
#define TIOCPKT	   0x5420
#define FIONBIO	   0x5421
#define TIOCNOTTY  0x5422
#define TIOCSETD   0x5423
#define TIOCGETD   0x5424
#define TCSBRKP	   0x5425
#define TIOCSBRK   0x5427
#define TIOCCBRK   0x5428
#define TIOCGSID   0x5429
#define TCGETS2	   _IOR('T', 0x2A, struct termios2)
#define TCSETS2	   _IOW('T', 0x2B, struct termios2)
#define TCSETSW2   _IOW('T', 0x2C, struct termios2)
#define TCSETSF2   _IOW('T', 0x2D, struct termios2)
#define TIOCGPTN   _IOR('T', 0x30, unsigned int)
#define TIOCSPTLCK _IOW('T', 0x31, int)
#define TIOCGPKT   _IOR('T', 0x38, int)
#define TIOCGPTLCK _IOR('T', 0x39, int)
#define TIOCGPTPEER _IO('T', 0x41)
#define FIONCLEX   0x5450
#define FIOCLEX	   0x5451
#define FIOASYNC   0x5452
#define TIOCGLCKTRMIOS 0x5456
#define TIOCSLCKTRMIOS 0x5457
#define FIOQSIZE   0x5460
#define FIGETBSZ   _IO(0x00, 2)
#define FICLONE	   _IOW(0x94, 9, int)
#define FICLONERANGE _IOW(0x94, 13, struct file_clone_range)
#define FIDEDUPERANGE _IOWR(0x94, 54, struct file_dedupe_range)
#define FS_IOC_FIEMAP _IOWR('f', 11, char[32])
#define RNDGETENTCNT _IOR('R', 0x00, int)
#define RNDADDTOENTCNT _IOW('R', 0x01, int)
#define RNDADDENTROPY _IOW('R', 0x03, int[2])
#define RNDZAPENTCNT _IO('R', 0x04)
#define RNDCLEARPOOL _IO('R', 0x06)
#define RNDRESEEDCRNG _IO('R', 0x07)

#endif
