// The kit's list of C functions to avoid, as compiler deprecations; nothing here.
#pragma once
