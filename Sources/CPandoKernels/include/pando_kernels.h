#ifndef PANDO_KERNELS_H
#define PANDO_KERNELS_H
#endif
