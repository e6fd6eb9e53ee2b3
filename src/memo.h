/*
 * memo.h
 *		Digests of token texts that were presented in this session before.
 *
 * Clients of a session present the same tokens again and again, and to hash one
 * takes longer than all else that a verification does here.  What is kept is
 * no secret: a message authentication code of the text, 128 bits of SipHash
 * under a random key that no other process has, and the digest.  Who does not
 * know that key finds no other text with the same code but by trying 2^128.
 *
 * What a text stands for is asked anew each time: this spares the hashing
 * alone.  Pure: no catalog, no palloc.  As much memory as has been written to,
 * 192 kB at most.
 */
#ifndef ATK_MEMO_H
#define ATK_MEMO_H

#include "digest.h"

#define ATK_MEMO_CODE_LEN	16

typedef struct AtkMemoCode
{
	uint8		bytes[ATK_MEMO_CODE_LEN];
} AtkMemoCode;

/* Makes the code; true: the digest is known. */
extern bool atk_memo_find(const char *text, size_t len, AtkMemoCode *code,
						  AtkDigest *digest);

/* In the place of another, as a rule. */
extern void atk_memo_keep(const AtkMemoCode *code, const AtkDigest *digest);

/* Digests are made differently from now on. */
extern void atk_memo_forget(void);

#endif							/* ATK_MEMO_H */
