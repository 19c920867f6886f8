/* A product of two matrices that do not fit into a small cache. */
#include <stdio.h>

enum { EDGE = 64 };
static double a[EDGE][EDGE], b[EDGE][EDGE], c[EDGE][EDGE];

int main(void) {
  for (int i = 0; i < EDGE; ++i)
    for (int j = 0; j < EDGE; ++j) a[i][j] = i + j, b[i][j] = i - j;
  for (int i = 0; i < EDGE; ++i)
    for (int j = 0; j < EDGE; ++j)
      for (int k = 0; k < EDGE; ++k) c[i][j] += a[i][k] * b[k][j];
  printf("%f\n", c[EDGE - 1][EDGE - 1]);
  return 0;
}
