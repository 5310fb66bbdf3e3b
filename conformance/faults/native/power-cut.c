// power-cut MOUNTPOINT…: cuts the power of file systems (ext4, xfs): from now on nothing reaches the
// device, and what no fsync covered is lost when they are mounted again.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FS_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
// The journal is not written out either.
#define NO_LOG_FLUSH 2

int main(int count, char **paths) {
  int files[16];
  if (count > 17) return 2;
  for (int i = 1; i < count; i++) {
    files[i - 1] = open(paths[i], O_RDONLY | O_DIRECTORY);
    if (files[i - 1] < 0) return perror(paths[i]), 1;
  }
  // All opened before, so that the cuts come as close together as they can.
  for (int i = 1; i < count; i++) {
    uint32_t how = NO_LOG_FLUSH;
    if (ioctl(files[i - 1], FS_IOC_SHUTDOWN, &how) != 0) return perror(paths[i]), 1;
  }
  return 0;
}
