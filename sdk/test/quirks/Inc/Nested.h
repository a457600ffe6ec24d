#pragma once
#define NESTED_VALUE 8
