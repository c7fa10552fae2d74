/* SPDX-License-Identifier: MIT */
/*
 * Error numbers as people read them. Both accept the number with either sign.
 */
#ifndef LIB_ERRNO_NAME_H
#define LIB_ERRNO_NAME_H

/**
 * errno_name - the symbol of an error number, such as "ENOENT"
 * @error: the number, positive or negative; the restart codes of err.h are known too
 *
 * Context: any.
 * Return: a constant string; "E?" for a number that Linux does not have.
 */
const char *errno_name(int error);

/**
 * errno_text - what an error number means, such as "No such file or directory"
 * @error: the number, positive or negative; 0 is "Success"
 *
 * Context: any.
 * Return: a constant string; "Unknown error" for a number that Linux does not have.
 */
const char *errno_text(int error);

#endif /* LIB_ERRNO_NAME_H */
