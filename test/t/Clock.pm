# A clock of ours: a small library, preloaded into a test's server alone, adds
# seconds to what the system says, or lets the time stand still.  It needs a C
# compiler; a test opens with
#
#	plan skip_all => 'no C compiler' unless make_clock();

package Clock;

use strict;
use warnings;

use Exporter 'import';
use File::Temp ();
use PostgreSQL::Test::Utils;

our @EXPORT = qw(make_clock on_clock set_clock stop_clock);

my ($dir, $setting);

sub write_file
{
	my ($path, $content) = @_;

	open my $file, '>', "$path.new" or die "$path: $!";
	print $file $content;
	close $file;
	rename "$path.new", $path or die "$path: $!";
	return;
}

# Compiles it; false if that cannot be done.  The clock goes right at first.
sub make_clock
{
	# Tests that run side by side share tmp_check; the server reads the clock.
	$dir = File::Temp::tempdir('clock_XXXXXX', DIR => $PostgreSQL::Test::Utils::tmp_check);
	chmod 0755, $dir or die "$dir: $!";
	$setting = "$dir/clock_setting";
	write_file("$dir/clock.c", <<"END");
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

/* The server reads the time of day with gettimeofday() only. */
int
gettimeofday(struct timeval *now, void *zone)
{
	static int	(*real) (struct timeval *, void *);
	char		text[32] = "";
	int			file = open("$setting", O_RDONLY);
	int			result;

	if (!real)
		real = (int (*) (struct timeval *, void *)) dlsym(RTLD_NEXT, "gettimeofday");
	result = real(now, zone);
	if (file >= 0 && read(file, text, sizeof(text) - 1) > 0)
	{
		if (text[0] == '=')
		{
			now->tv_sec = atol(text + 1);
			now->tv_usec = 0;
		}
		else
			now->tv_sec += atol(text);
	}
	if (file >= 0)
		close(file);
	return result;
}
END
	set_clock(0);
	return !system(
		"cc -shared -fPIC -o '$dir/clock.so' '$dir/clock.c' -ldl 2>'$dir/cc.log'");
}

# Runs a block that starts a server, with the clock in its environment.
sub on_clock (&)
{
	my ($block) = @_;

	# Behind what must be the first, a sanitizer's library.
	local $ENV{LD_PRELOAD} = join ':', grep { defined } $ENV{LD_PRELOAD}, "$dir/clock.so";
	return $block->();
}

# So many seconds ahead of the system, or behind it.
sub set_clock
{
	my ($seconds) = @_;

	write_file($setting, $seconds);
	return;
}

# It stands at this second of Unix time, until it is set again.
sub stop_clock
{
	my ($at) = @_;

	write_file($setting, "=$at");
	return;
}

1;
