#ifndef PANDO_ONEDNN_H
#define PANDO_ONEDNN_H
#endif
