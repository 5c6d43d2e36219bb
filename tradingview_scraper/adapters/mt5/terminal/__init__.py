"""Words of MetaTrader 5: functions, records, constants, configuration, errors. No behaviour."""
