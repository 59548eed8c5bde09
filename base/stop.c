#include "base/stop.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/status.h"

static _Atomic int requested;
static void (*_Atomic last_act)(void);

/* Only what POSIX allows in a handler. */
static void on_signal(int number)
{
    static const char text[] = "\nstopping after the unit in hand; once more stops at once\n";

    (void)number;
    if (requested) {
        if (last_act != NULL)
            last_act();
        _exit(130);
    }
    requested = 1;
    if (!log_is_quiet() && write(STDERR_FILENO, text, sizeof text - 1) < 0)
        return;   /* nobody listens */
}

void stop_install(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    BUG_IF(sigaction(SIGINT, &action, NULL) != 0);
    BUG_IF(sigaction(SIGTERM, &action, NULL) != 0);
    (void)signal(SIGXFSZ, SIG_IGN);      /* a file that may not grow (ulimit -f) is a write that fails */
}

void stop_at_once_does(void (*act)(void)) { last_act = act; }

bool stop_requested(void)
{
    return requested;
}
