/* Lets a host run the model over the console: frames of a checksummed, versioned protocol. */
#ifndef ETX_SERVICE_H
#define ETX_SERVICE_H

/* Answers until the console ends, which a UART never does. */
void etx_serve(void);

#endif
