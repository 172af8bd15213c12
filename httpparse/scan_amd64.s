#include "textflag.h"

// A byte is a tchar if the entries for its low and its high four bits have a bit in common: the first two words are for
// the low ones, the next two for the high ones. From 0x80 upward there is none, because VPSHUFB gives zero.
DATA tables<>+0(SB)/8, $0xfcfcfcfcfcf8fce8
DATA tables<>+8(SB)/8, $0x70f454d054f4f8f8
DATA tables<>+16(SB)/8, $0x8040201008040201
DATA tables<>+24(SB)/8, $0
DATA tables<>+32(SB)/4, $0x0f0f0f0f
DATA tables<>+36(SB)/4, $0x01010101
DATA tables<>+40(SB)/4, $0x21212121
GLOBL tables<>(SB), RODATA|NOPTR, $44

// func plainLinesAVX2(buf []byte, line int, fields []Field) (n, next int)
//
// SI, DX: the address and the length of buf. AX: line. DI, R8: the next element of fields and their end.
// BX: the index of a block of 64 bytes. R10: a bit for each of its bytes from AX on that ends a value.
// R11, R13, R12: the colon, the value's first byte and its end.
TEXT ·plainLinesAVX2(SB), NOSPLIT, $0-72
	MOVQ buf_base+0(FP), SI
	MOVQ buf_len+8(FP), DX
	MOVQ line+24(FP), AX
	MOVQ fields_base+32(FP), DI
	MOVQ fields_len+40(FP), R8
	SHLQ $4, R8
	ADDQ DI, R8
	LEAQ -32(DX), R9
	LEAQ -1(DX), R15
	LEAQ -64(AX), BX
	XORL R10, R10
	VBROADCASTI128 tables<>+0(SB), Y8
	VBROADCASTI128 tables<>+16(SB), Y9
	VPBROADCASTD tables<>+32(SB), Y10
	VPBROADCASTD tables<>+36(SB), Y11
	VPBROADCASTD tables<>+40(SB), Y12
	VPXOR Y13, Y13, Y13
	JMP  more

name: // the first byte that is no tchar, of 32 from AX on or of the last 32
	MOVQ AX, R13
	CMPQ R13, R9
	CMOVQGT R9, R13
	MOVQ AX, CX
	SUBQ R13, CX
	VMOVDQU (SI)(R13*1), Y0
	VPSRLW $4, Y0, Y1
	VPAND Y10, Y1, Y1
	VPSHUFB Y0, Y8, Y2
	VPSHUFB Y1, Y9, Y3
	VPAND Y2, Y3, Y2
	VPCMPEQB Y13, Y2, Y2
	VPMOVMSKB Y2, R11
	SHRXL CX, R11, R11
	TZCNTL R11, R11
	JCS  done
	JEQ  done
	ADDQ AX, R11
	CMPB (SI)(R11*1), $':'
	JNE  done
	TESTQ R10, R10
	JEQ  block

value:
	TZCNTQ R10, R12
	ADDQ BX, R12
	CMPQ R12, R15
	JGE  done
	MOVWLZX (SI)(R12*1), CX
	CMPL CX, $0x0a0d
	JNE  done
	LEAQ 1(R11), R13
	CMPB (SI)(R13*1), $' '
	JNE  trimmed
	INCQ R13
trimmed:
	CMPB (SI)(R13*1), $' '
	JEQ  done
	CMPB -1(SI)(R12*1), $' '
	JEQ  done

	// As two words: Go code loads a Span as one, and would wait for two stores.
	SHLQ $32, R11
	ORQ  AX, R11
	MOVQ R11, (DI)
	LEAQ 2(R12), AX
	SHLQ $32, R12
	ORQ  R13, R12
	MOVQ R12, 8(DI)
	ADDQ $16, DI
	BLSRQ R10, R10 // the CR
	BLSRQ R10, R10 // the LF, unless it is in the next block
more:
	CMPQ DI, R8
	JEQ  done
	CMPQ AX, DX
	JLT  name

done:
	VZEROUPPER
	SUBQ fields_base+32(FP), DI
	SHRQ $4, DI
	MOVQ DI, n+56(FP)
	MOVQ AX, next+64(FP)
	RET

block: // loads 32 bytes from BX and 32 from CX on
	ADDQ $64, BX
	LEAQ 32(BX), CX
	CMPQ CX, R9
	JGT  lastBlock
load:
	VPADDB (SI)(BX*1), Y11, Y0
	VPADDB (SI)(CX*1), Y11, Y1
	VPCMPGTB Y0, Y12, Y0 // all but 0x20 to 0x7e
	VPCMPGTB Y1, Y12, Y1
	VPMOVMSKB Y0, R10
	VPMOVMSKB Y1, R13
	SUBQ BX, CX
	SHLXQ CX, R13, R13
	ORQ  R13, R10
	CMPQ AX, BX
	JLE  loaded
	MOVQ AX, CX
	SUBQ BX, CX
	SHRXQ CX, R10, R10
	SHLXQ CX, R10, R10
loaded:
	TESTQ R10, R10
	JNE  value
	JMP  block

lastBlock: // overlaps with the one before
	CMPQ BX, DX
	JGE  done
	MOVQ R9, CX
	XORL R13, R13
	MOVQ R9, BX
	SUBQ $32, BX
	CMOVQLT R13, BX
	JMP  load
