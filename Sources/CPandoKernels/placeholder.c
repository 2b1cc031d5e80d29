#include "pando_kernels.h"
