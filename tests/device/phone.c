/* Preloaded into adbd and what it starts, this makes their machine a phone: programs for 64-bit Arm run under
   PHONE_EMULATOR, the kernel says that it is for PHONE_MACHINE, and the user's home is PHONE_HOME. adbd, which lets
   everybody in here, listens on the loopback address only. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#define REAL(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

static int is_for_phone(const char *path) {
  Elf64_Ehdr header = {0};
  int file = open(path, O_RDONLY | O_CLOEXEC);
  int whole = file >= 0 && read(file, &header, sizeof header) == sizeof header;
  if (file >= 0) close(file);
  return whole && memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_machine == EM_AARCH64;
}

int execve(const char *path, char *const arguments[], char *const environment[]) {
  if (!is_for_phone(path) || access(path, X_OK) != 0) return REAL(execve)(path, arguments, environment);
  size_t count = 0;
  while (arguments[count] != NULL) count++;
  const char *emulated[count + 2];
  emulated[0] = "qemu-aarch64-static";
  emulated[1] = path;
  for (size_t i = 1; i <= count; i++) emulated[i + 1] = arguments[i];
  return REAL(execve)(getenv("PHONE_EMULATOR"), (char *const *)emulated, environment);
}

int uname(struct utsname *name) {
  int result = REAL(uname)(name);
  strcpy(name->machine, getenv("PHONE_MACHINE"));
  return result;
}

struct passwd *getpwuid(uid_t user) {
  struct passwd *account = REAL(getpwuid)(user);
  if (account != NULL) account->pw_dir = getenv("PHONE_HOME");
  return account;
}

int bind(int socket, const struct sockaddr *address, socklen_t size) {
  struct sockaddr_in6 local;
  if (address->sa_family == AF_INET6 && size == sizeof local) {
    memcpy(&local, address, size);
    memcpy(&local.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
    return REAL(bind)(socket, (struct sockaddr *)&local, size);
  }
  return REAL(bind)(socket, address, size);
}
