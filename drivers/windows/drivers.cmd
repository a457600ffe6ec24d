@echo off
rem Installs, starts, stops and removes the drivers of this folder, as services. Run it as an administrator.
rem
rem   drivers trust            trust the certificate that signed these files; test mode (bcdedit /set testsigning on) does not need it
rem   drivers distrust         take it away again
rem   drivers install [NAME]   register and start; without a name: all
rem   drivers remove [NAME]    stop and delete
rem   drivers show             what runs
setlocal
set all=sharingmemory example example_direct example_neither systemmodules w2k_spy
set names=%2
if "%names%"=="" set names=%all%
if "%1"=="trust" goto trust
if "%1"=="distrust" goto distrust
if "%1"=="install" goto install
if "%1"=="remove" goto remove
if "%1"=="show" goto show
echo usage: drivers trust ^| distrust ^| install [NAME] ^| remove [NAME] ^| show
echo names: %all%
exit /b 2

:trust
certutil -addstore -f Root "%~dp0usernt-test.cer"
if errorlevel 1 exit /b 1
certutil -addstore -f TrustedPublisher "%~dp0usernt-test.cer"
exit /b %errorlevel%

:distrust
certutil -delstore Root "UserNT test signing"
certutil -delstore TrustedPublisher "UserNT test signing"
exit /b %errorlevel%

:install
for %%n in (%names%) do (
    sc create %%n type= kernel start= demand error= normal binPath= "%~dp0%%n.sys" DisplayName= "UserNT %%n"
    sc start %%n
)
exit /b 0

:remove
for %%n in (%names%) do (
    sc stop %%n
    sc delete %%n
)
exit /b 0

:show
for %%n in (%all%) do sc query %%n
exit /b 0
