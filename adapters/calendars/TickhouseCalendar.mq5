//+------------------------------------------------------------------+
//| Writes the terminal's economic calendar for `tickhouse calendar  |
//| import FILE --tz ZONE`, ZONE being the zone of the trade server: |
//| MetaTrader gives calendar times in that, without saying it.      |
//|                                                                  |
//| NOT YET COMPILED by MetaEditor: written after the documentation  |
//| of MQL5's calendar functions, and never run in a terminal. Tell  |
//| us of the first error, and of what it wrote.                     |
//+------------------------------------------------------------------+
#property copyright "Tickhouse"
#property link      "docs/how-to/firm-rules.md"
#property version   "1.00"
#property script_show_inputs

input int    InpDaysBack    = 7;               // days back
input int    InpDaysAhead   = 14;              // days ahead
input string InpFile        = "calendar.csv";  // file in MQL5\Files

//--- A figure as text; the calendar holds it in millionths, LONG_MIN for none.
string Figure(const long value)
  {
   if(value == LONG_MIN)
      return("");
   return(DoubleToString((double)value / 1000000.0, 6));
  }

//--- Quotes around what may hold a comma.
string Quoted(string text)
  {
   StringReplace(text, "\"", "\"\"");
   return("\"" + text + "\"");
  }

void OnStart()
  {
   datetime now = TimeTradeServer();
   MqlCalendarValue values[];
   int count = CalendarValueHistory(values, now - InpDaysBack * 86400, now + InpDaysAhead * 86400);
   if(count <= 0)
     {
      PrintFormat("no calendar: error %d", GetLastError());
      return;
     }
   int file = FileOpen(InpFile, FILE_WRITE | FILE_TXT | FILE_ANSI, 0, CP_UTF8);
   if(file == INVALID_HANDLE)
     {
      PrintFormat("cannot write %s: error %d", InpFile, GetLastError());
      return;
     }
   FileWriteString(file, "time,currency,importance,name,event_id,actual,forecast,previous\n");
   int written = 0;
   for(int i = 0; i < ArraySize(values); i++)
     {
      MqlCalendarEvent event;
      MqlCalendarCountry country;
      if(!CalendarEventById(values[i].event_id, event) || !CalendarCountryById(event.country_id, country))
         continue;
      string currency = (country.currency == "" ? "ALL" : country.currency);
      string row = TimeToString(values[i].time, TIME_DATE | TIME_SECONDS) + "," + currency + "," +
                   IntegerToString((int)event.importance) + "," + Quoted(event.name) + "," +
                   IntegerToString((long)values[i].id) + "," + Figure(values[i].actual_value) + "," +
                   Figure(values[i].forecast_value) + "," + Figure(values[i].prev_value) + "\n";
      FileWriteString(file, row);
      written++;
     }
   FileClose(file);
   PrintFormat("%d events in %s", written, InpFile);
  }
