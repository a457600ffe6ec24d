// intrin.h asks for it; nobody needs it.
#pragma once
