/* No DriverEntry. */
int NotADriver;
