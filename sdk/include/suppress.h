// Numbers for the code analyser's warnings; nothing here.
#pragma once
