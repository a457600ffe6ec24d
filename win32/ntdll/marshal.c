/* A call's arguments, as marshal.def describes them. */
#include "win32/ntdll/stage.h"

#include <stdlib.h>
#include <string.h>

struct rule {
    char Kind, How; /* How: 0 fixed, or one of # $ * @ */
    uint16_t Number;
};
struct rules {
    uint8_t Count;
    struct rule Rule[CHANNEL_ARGUMENTS];
};

/* A service without a line in marshal.def does not compile. */
enum {
#define MARSHAL(name, text) Marshals##name,
#define MAY_PEND(name) Marshals##name,
#include "win32/ntdll/marshal.def"
#undef MARSHAL
#undef MAY_PEND
};
#define SERVICE(name, count) _Static_assert(Marshals##name >= 0, #name);
#include "nt/services.def"
#undef SERVICE

static const char *const Texts[ServiceCount] = {
#define MARSHAL(name, text) [Service##name] = text,
#define MAY_PEND(name)
#include "win32/ntdll/marshal.def"
#undef MARSHAL
#undef MAY_PEND
};
static struct rules Rules[ServiceCount];

static void compile_rules(struct rules *Into, const char *Text)
{
    Into->Count = 0;
    while (Text && *Text) {
        struct rule *Rule = &Into->Rule[Into->Count++];

        Rule->Kind = *Text++;
        Rule->How = (*Text && strchr("#$*@", *Text)) ? *Text++ : 0;
        Rule->Number = (uint16_t)strtoul(Text, (char **)&Text, 10);
        Text += *Text == ' ';
    }
}

void ntdll_marshal_init(void)
{
    for (unsigned i = 0; i < ServiceCount; i++)
        compile_rules(&Rules[i], Texts[i]);
}

static size_t length(const struct rule *Rule, const uint64_t *Arguments)
{
    uint32_t Behind = 0;

    switch (Rule->How) {
    case '#':
        return (uint32_t)Arguments[Rule->Number];
    case '$':
        return Arguments[Rule->Number];
    case '*':
        return (uint32_t)Arguments[Rule->Number] > 64 ? 0 : 8 * (uint32_t)Arguments[Rule->Number];
    case '@':
        return ntdll_copy(&Behind, (void *)Arguments[Rule->Number], sizeof(Behind)) ? Behind : 0;
    default:
        return Rule->Number;
    }
}

static void *stage_string(struct stage *Stage, UNICODE_STRING *User, enum stage_use Use)
{
    UNICODE_STRING *Copy = stage_buffer(Stage, User, sizeof(*User), STAGE_IN);

    /* The structure itself goes back by hand below: its Buffer must stay the program's. */
    if (Copy != User && Copy->Buffer)
        Copy->Buffer =
            stage_buffer(Stage, Copy->Buffer, Use ? Copy->MaximumLength : Copy->Length, Use);
    return Copy;
}

static void string_back(struct stage *Stage, UNICODE_STRING *User, const UNICODE_STRING *Copy)
{
    (void)Stage;
    if (User != Copy)
        ntdll_copy(&User->Length, &Copy->Length, sizeof(Copy->Length));
}

static size_t sid_bytes(const void *Sid)
{
    unsigned char Count = 0;

    return Sid && ntdll_copy(&Count, (const char *)Sid + 1, 1) ? 8u + 4u * Count : 0;
}

static size_t acl_bytes(const void *Acl)
{
    ACL Header;

    return Acl && ntdll_copy(&Header, Acl, sizeof(Header)) ? Header.AclSize : 0;
}

struct descriptor { /* self-relative */
    uint8_t Revision, Sbz1;
    uint16_t Control;
    uint32_t Part[4]; /* owner, group, SACL, DACL */
};

static int read_descriptor(const char *User, struct descriptor *Head, const char *Part[4])
{
    const char *Absolute[4];

    if (!ntdll_copy(Head, User, sizeof(*Head)))
        return 0;
    if (Head->Control & SE_SELF_RELATIVE) {
        for (int i = 0; i < 4; i++)
            Part[i] = Head->Part[i] ? User + Head->Part[i] : NULL;
        return 1;
    }
    if (!ntdll_copy(Absolute, User + 8, sizeof(Absolute)))
        return 0;
    memcpy(Part, Absolute, sizeof(Absolute));
    return 1;
}

/* Either form becomes a self-relative copy. */
static void *stage_descriptor(struct stage *Stage, char *User)
{
    struct descriptor Head;
    const char *Part[4];
    size_t Bytes[4], Total = sizeof(Head);
    char *Copy;

    if (!User || ntdll_in_slot(User) || !read_descriptor(User, &Head, Part))
        return User;
    for (int i = 0; i < 4; i++) {
        Bytes[i] = i < 2 ? sid_bytes(Part[i]) : acl_bytes(Part[i]);
        Total += (Bytes[i] + 3) & ~(size_t)3;
    }
    Copy = stage_room(Stage, Total);
    if (!Copy)
        return User;
    Head.Control |= SE_SELF_RELATIVE;
    Total = sizeof(Head);
    for (int i = 0; i < 4; i++) {
        Head.Part[i] = Bytes[i] ? (uint32_t)Total : 0;
        if (Bytes[i] && !ntdll_copy(Copy + Total, Part[i], Bytes[i]))
            return User;
        Total += (Bytes[i] + 3) & ~(size_t)3;
    }
    memcpy(Copy, &Head, sizeof(Head));
    return Copy;
}

static void *stage_attributes(struct stage *Stage, OBJECT_ATTRIBUTES *User)
{
    OBJECT_ATTRIBUTES *Copy = stage_buffer(Stage, User, sizeof(*User), STAGE_IN);

    if (Copy == User)
        return User;
    Copy->ObjectName = stage_string(Stage, Copy->ObjectName, STAGE_IN);
    Copy->SecurityDescriptor = stage_descriptor(Stage, Copy->SecurityDescriptor);
    Copy->SecurityQualityOfService =
        stage_buffer(Stage, Copy->SecurityQualityOfService, 12, STAGE_IN);
    return Copy;
}

/* A count, what lies between, and as many LUID_AND_ATTRIBUTES. */
static void *stage_privileges(struct stage *Stage, void *User, size_t Head, enum stage_use Use)
{
    uint32_t Count = 0;

    if (!User || !ntdll_copy(&Count, User, sizeof(Count)) || Count > 64)
        return User;
    return stage_buffer(Stage, User, Head + 12u * Count, Use);
}

static uint64_t marshal_one(struct stage *Stage, const struct rule *Rule, const uint64_t *Arguments,
                            uint64_t Argument)
{
    void *User = (void *)Argument;

    switch (Rule->Kind) {
    case 'i':
        return (uint64_t)stage_buffer(Stage, User, length(Rule, Arguments), STAGE_IN);
    case 'x':
        return (uint64_t)stage_buffer(Stage, User, length(Rule, Arguments), STAGE_BACK);
    case 'r':
        return (uint64_t)stage_buffer(Stage, User, length(Rule, Arguments), STAGE_MOVE_POINTERS);
    case 'A':
        return (uint64_t)stage_attributes(Stage, User);
    case 'U':
        return (uint64_t)stage_string(Stage, User, STAGE_IN);
    case 'W':
        return (uint64_t)stage_string(Stage, User, STAGE_BACK);
    case 'D':
        return (uint64_t)stage_descriptor(Stage, User);
    case 'P':
        return (uint64_t)stage_privileges(Stage, User, 4, STAGE_IN);
    case 'Q':
        return (uint64_t)stage_privileges(Stage, User, 8, STAGE_BACK);
    case 'T':
        return (uint64_t)ntdll_pending_staged(User);
    default:
        return Argument;
    }
}

NTSTATUS ntdll_service(uint32_t Service, unsigned Count, uint64_t *Arguments)
{
    uint64_t Staged[CHANNEL_ARGUMENTS];
    struct stage Stage;
    NTSTATUS Status;
    struct ntdll_thread *Thread = ntdll_thread(&Status);

    if (!Thread)
        return Status;
    stage_begin(&Stage, Thread);
    for (unsigned i = 0; i < Count; i++)
        Staged[i] = marshal_one(&Stage, &Rules[Service].Rule[i], Arguments, Arguments[i]);
    Status = ntdll_call(Thread, Service, Staged);
    for (unsigned i = 0; i < Count; i++)
        if (Rules[Service].Rule[i].Kind == 'W')
            string_back(&Stage, (UNICODE_STRING *)Arguments[i], (UNICODE_STRING *)Staged[i]);
    if (!stage_back(&Stage))
        Status = STATUS_ACCESS_VIOLATION;
    stage_end(&Stage);
    return Status;
}
