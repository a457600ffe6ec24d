/* ioringapi.h: mingw's of version 1, and what version 3 of I/O rings adds. */
#ifndef NT_IORINGAPI_H
#define NT_IORINGAPI_H

#ifndef NTDDI_WIN10_CO
#define NTDDI_WIN10_CO 0x0A00000B
#endif
#if NTDDI_VERSION < NTDDI_WIN10_CO
#undef NTDDI_VERSION
#define NTDDI_VERSION NTDDI_WIN10_CO
#endif
#include_next <ioringapi.h>

#define IORING_VERSION_2 ((IORING_VERSION)2)
#define IORING_VERSION_3 ((IORING_VERSION)300)
#define IORING_OP_WRITE ((IORING_OP_CODE)5)
#define IORING_OP_FLUSH ((IORING_OP_CODE)6)

#define IORING_E_REQUIRED_FLAG_NOT_SUPPORTED ((HRESULT)0x80460001)
#define IORING_E_SUBMISSION_QUEUE_FULL ((HRESULT)0x80460002)
#define IORING_E_VERSION_NOT_SUPPORTED ((HRESULT)0x80460003)
#define IORING_E_SUBMISSION_QUEUE_TOO_BIG ((HRESULT)0x80460004)
#define IORING_E_COMPLETION_QUEUE_TOO_BIG ((HRESULT)0x80460005)
#define IORING_E_SUBMIT_IN_PROGRESS ((HRESULT)0x80460006)
#define IORING_E_CORRUPT ((HRESULT)0x80460007)
#define IORING_E_COMPLETION_QUEUE_TOO_FULL ((HRESULT)0x80460008)
/* Documented by name alone. */
#define IORING_E_WAIT_TIMEOUT HRESULT_FROM_WIN32(ERROR_TIMEOUT)

typedef enum FILE_WRITE_FLAGS {
    FILE_WRITE_FLAGS_NONE = 0,
    FILE_WRITE_FLAGS_WRITE_THROUGH = 1
} FILE_WRITE_FLAGS;

typedef enum FILE_FLUSH_MODE {
    FILE_FLUSH_DEFAULT = 0,
    FILE_FLUSH_DATA,
    FILE_FLUSH_MIN_METADATA,
    FILE_FLUSH_NO_SYNC
} FILE_FLUSH_MODE;

#ifdef __cplusplus
extern "C" {
#endif
STDAPI BuildIoRingWriteFile(HIORING ioRing, IORING_HANDLE_REF fileRef, IORING_BUFFER_REF bufferRef,
                            UINT32 numberOfBytesToWrite, UINT64 fileOffset,
                            FILE_WRITE_FLAGS writeFlags, UINT_PTR userData,
                            IORING_SQE_FLAGS sqeFlags);
STDAPI BuildIoRingFlushFile(HIORING ioRing, IORING_HANDLE_REF fileRef, FILE_FLUSH_MODE flushMode,
                            UINT_PTR userData, IORING_SQE_FLAGS sqeFlags);
#ifdef __cplusplus
}
#endif

#endif
