/*
 * Which encoding bytes are in, and UTF-8 from it.
 *
 * What is known of a text comes in this order: a byte order mark; bytes that are valid UTF-8 and more than ASCII; what its transport
 * says (HTTP); what it says itself (<meta>, <?xml?>); and the bytes: the double-byte encodings of Chinese, Japanese and Korean by
 * their structure and the zones that texts mostly use, the 8-bit ones by how likely neighbouring letters are in the languages
 * that were written in them (charset_pairs.c). All of it is the same on every machine: conversion is iconv's, with names of its own
 * list only.
 */
#ifndef TUNDISH_CURATE_CHARSET_H
#define TUNDISH_CURATE_CHARSET_H

#include <stdbool.h>

#include "base/str.h"

/* For what is UTF-8, and the most common other one, which needs no iconv. */
#define CHARSET_UTF8 "UTF-8"
#define CHARSET_WESTERN "CP1252"

/* iconv's name for a label as pages and servers use them (any case); NULL: not one that is known. */
const char *charset_of_label(const char *label, size_t n);
/* By the bytes alone: iconv's name; CHARSET_UTF8 also for what is mostly that; NULL: nothing speaks for any. Looks at the first
 * 64 KiB from the first byte that is not ASCII. */
const char *charset_guess(struct span bytes);
/* Text that calls itself UTF-8 and is not quite: are there as many characters as there are bytes that do not fit, or few of those? */
bool charset_is_mostly_utf8(struct span bytes);
/* Appends the text as UTF-8; what is ill-formed becomes U+FFFD. name: one that the functions above gave. */
void charset_convert(const char *name, struct span bytes, struct buf *out);

#endif
