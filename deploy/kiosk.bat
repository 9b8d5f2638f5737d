@echo off
rem Has the captions on the whole screen at each login: double-click it. "kiosk.bat remove" takes it back.
set what=%1
if "%what%"=="" set what=install
call "%~dp0..\start.bat" kiosk-%what%
pause
