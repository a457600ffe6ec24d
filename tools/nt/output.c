/* JSON output and growing queries. */
#include "tools/nt/nt.h"

#include <stdlib.h>

int print_json(json_object *Json)
{
    puts(json_object_to_json_string_ext(Json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                                  JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(Json);
    return EXIT_DONE;
}

void add_text(json_object *Json, const char *Key, const char *Value)
{
    json_object_object_add(Json, Key, json_object_new_string(Value));
}

void add_number(json_object *Json, const char *Key, unsigned long long Value)
{
    json_object_object_add(Json, Key, json_object_new_int64((int64_t)Value));
}

void add_address(json_object *Json, const char *Key, unsigned long long Value)
{
    char Text[24];

    snprintf(Text, sizeof(Text), "0x%llx", Value);
    add_text(Json, Key, Text);
}

void *query_system(const struct verb *Verb, int Class, size_t *Bytes, int *Code)
{
    ULONG Room = 0x4000, Returned = 0;

    for (;;) {
        void *Buffer = calloc(1, Room);
        NTSTATUS Status = STATUS_NO_MEMORY;

        if (Buffer)
            Status =
                NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)Class, Buffer, Room, &Returned);
        if (Status >= 0) {
            *Bytes = Returned;
            *Code = EXIT_DONE;
            return Buffer;
        }
        free(Buffer);
        if (Status != STATUS_INFO_LENGTH_MISMATCH || Room > (1u << 30)) {
            *Code = fail_status(Verb->Name, "cannot ask the kernel", Status);
            return NULL;
        }
        Room = (Returned > Room ? Returned : Room) * 2;
    }
}
