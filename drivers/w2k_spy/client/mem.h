/*
 * mem: the parts of w2k_mem. options.c reads the command line, mem.c carries it out, dump.c shows
 * memory, views.c the system, output.c writes for people or (--json) for programs.
 */
#ifndef SPY_MEM_H
#define SPY_MEM_H

#include "device.h"

#define MEM_DEFAULT_SIZE 256

typedef enum _MEM_ADDRESS { ADDRESS_LINEAR, ADDRESS_ZERO, ADDRESS_PHYSICAL } MEM_ADDRESS;
typedef enum _MEM_BASE {
    BASE_PLAIN,
    BASE_TEB,
    BASE_PCR,
    BASE_TEB_POINTER,
    BASE_PCR_POINTER,
    BASE_HANDLE,
    BASE_ADD,
    BASE_SUBTRACT,
    BASE_POINTER
} MEM_BASE;
enum { VIEW_OS = 1, VIEW_CPU = 2, VIEW_GDT = 4, VIEW_IDT = 8, VIEW_BLOCKS = 16 };

/* What the options say at one point of the command line. */
typedef struct _MEM_OPTIONS {
    MEM_ADDRESS Address;
    ULONG Group; /* bytes of a number: 1, 2, 4, 8 */
    MEM_BASE Base;
    ULONG Views;
    BOOL Execute; /* +x */
    ULONGLONG Size;
} MEM_OPTIONS;

typedef enum _MEM_KIND { ITEM_OPTIONS, ITEM_PATH, ITEM_SIZE, ITEM_BASE, ITEM_BAD } MEM_KIND;

/* options.c: one argument; Options changes, Value is a base, Text a path. */
MEM_KIND OptionsTake(const char *Argument, MEM_OPTIONS *Options, ULONGLONG *Value);
extern const char OptionsUsage[];

/* output.c */
typedef struct _OUTPUT {
    FILE *File;
    BOOL Json, Colour, Progress;
    ULONG Depth; /* of JSON */
    BOOL First;
} OUTPUT;
extern OUTPUT Output;
typedef enum _INK { INK_PLAIN, INK_TITLE, INK_ADDRESS, INK_TEXT, INK_FAINT } INK;
void OutputInk(INK Ink);
void OutputTitle(const char *Title);
void JsonOpen(const char *Name, char Bracket); /* Name NULL: in an array */
void JsonClose(char Bracket);
void JsonNumber(const char *Name, ULONGLONG Value);
void JsonText(const char *Name, const char *Text);
/* A line "name  value" for people, a member for programs. */
void OutputNumber(const char *Name, const char *Words, ULONGLONG Value, BOOL Hex);

/* dump.c: how many of Size bytes were there. */
ULONGLONG DumpMemory(DEVICE *Device, const MEM_OPTIONS *Options, ULONGLONG Base, ULONGLONG Size);
/* views.c: FALSE: the device failed. */
BOOL ViewOs(DEVICE *Device);
BOOL ViewCpu(DEVICE *Device);
BOOL ViewGdt(DEVICE *Device);
BOOL ViewIdt(DEVICE *Device);
BOOL ViewBlocks(DEVICE *Device);

/* mem.c: the program but for its device; returns its exit code. */
int MemRun(DEVICE *Device, int Count, char **Arguments);
/* The first pass alone: nothing is asked. Requested: bytes. SPY_EXIT_OK, or after a message another
 * exit code. */
int MemValidate(int Count, char **Arguments, ULONGLONG *Requested);

#endif
