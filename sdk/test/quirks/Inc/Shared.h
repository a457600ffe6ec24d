#pragma once
#include "..\INC\nested.h"
#define SHARED_VALUE 7
