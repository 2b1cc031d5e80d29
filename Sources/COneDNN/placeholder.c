#include "pando_onednn.h"
