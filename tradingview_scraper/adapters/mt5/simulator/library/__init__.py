"""The library: functions, arguments and structs as the C code has them, and its end of the pipe."""
