(* Corollary A7, rotation-coded filters: k inserts Rz(theta_j) on any qubits of any
   state give 1-alpha-beta <= sin(min(sum |theta_j|/2, pi/2)).

   The overlap of two pure states is |<a|b>| in [0, 1]; its arc cosine is their angle.
   This file has the inequalities about angles; rotation_states.v applies them to
   amplitudes. *)

Require Import Reals Lra Psatz.
Open Scope R_scope.

(* One rotation. p is the weight on |0> of the rotated qubit, so the overlap amplitude
   is p exp(-i theta/2) + (1-p) exp(i theta/2). *)
Theorem rotation_overlap : forall p theta,
  (p * cos (- theta / 2) + (1 - p) * cos (theta / 2))²
    + (p * sin (- theta / 2) + (1 - p) * sin (theta / 2))²
  = 1 - 4 * p * (1 - p) * (sin (theta / 2))².
Proof.
  intros p theta. replace (- theta / 2) with (- (theta / 2)) by field.
  rewrite cos_neg, sin_neg. pose proof (sin2_cos2 (theta / 2)) as H.
  unfold Rsqr in *. nra.
Qed.

Theorem rotation_overlap_lower : forall p theta, 0 <= p <= 1 ->
  (cos (theta / 2))² <= 1 - 4 * p * (1 - p) * (sin (theta / 2))².
Proof.
  intros p theta Hp. pose proof (sin2_cos2 (theta / 2)) as H.
  pose proof (Rle_0_sqr (sin (theta / 2))). pose proof (Rle_0_sqr (1 - 2 * p)) as Hq.
  assert (0 <= (1 - 2 * p)² * (sin (theta / 2))²) by (apply Rmult_le_pos; assumption).
  unfold Rsqr in *. nra.
Qed.

Lemma acos_upper : forall z t, -1 <= z <= 1 -> 0 <= t <= PI ->
  cos t <= z -> acos z <= t.
Proof.
  intros z t Hz Ht H. apply cos_decr_0; try apply acos_bound; try apply Ht.
  rewrite cos_acos by exact Hz. exact H.
Qed.

Lemma acos_in_quadrant : forall z, 0 <= z <= 1 -> 0 <= acos z <= PI / 2.
Proof.
  intros z Hz. split; [apply acos_bound |]. pose proof PI_RGT_0.
  apply acos_upper; [lra | lra |]. rewrite cos_PI2. lra.
Qed.

(* An overlap at least |cos(theta/2)| is an angle of at most |theta|/2. *)
Theorem rotation_angle : forall z theta, 0 <= z <= 1 ->
  (cos (theta / 2))² <= z² -> acos z <= Rabs theta / 2.
Proof.
  intros z theta Hz H. pose proof (acos_in_quadrant z Hz).
  destruct (Rle_or_lt (PI / 2) (Rabs theta / 2)) as [Hbig | Hsmall]; [lra |].
  pose proof (Rabs_pos theta).
  apply acos_upper; [lra | lra |].
  assert (E : (cos (Rabs theta / 2))² = (cos (theta / 2))²).
  { unfold Rabs. destruct (Rcase_abs theta); [| reflexivity].
    replace (- theta / 2) with (- (theta / 2)) by field. rewrite cos_neg. reflexivity. }
  apply Rsqr_incr_0; [rewrite E; exact H | | lra].
  apply cos_ge_0; lra.
Qed.

Theorem angle_triangle_cosine : forall a b z,
  0 <= a <= PI -> 0 <= b <= PI ->
  0 <= 1 + 2 * cos a * cos b * z - cos a * cos a - cos b * cos b - z * z ->
  cos (a + b) <= z.
Proof.
  intros a b z Ha Hb H. rewrite cos_plus.
  pose proof (sin_ge_0 a (proj1 Ha) (proj2 Ha)).
  pose proof (sin_ge_0 b (proj1 Hb) (proj2 Hb)).
  assert (0 <= sin a * sin b) by (apply Rmult_le_pos; assumption).
  pose proof (sin2_cos2 a) as A. pose proof (sin2_cos2 b) as B. unfold Rsqr in A, B.
  assert (E : sin a * sin b * (sin a * sin b)
              = (1 - cos a * cos a) * (1 - cos b * cos b)).
  { replace (1 - cos a * cos a) with (sin a * sin a) by lra.
    replace (1 - cos b * cos b) with (sin b * sin b) by lra. ring. }
  destruct (Rle_or_lt (cos a * cos b - sin a * sin b) z) as [| Hlt]; [assumption |].
  assert (sin a * sin b < cos a * cos b - z) by lra.
  assert (sin a * sin b * (sin a * sin b)
          < (cos a * cos b - z) * (cos a * cos b - z)).
  { apply Rmult_le_0_lt_compat; assumption. }
  lra.
Qed.

(* The determinant of the Gram matrix of three unit vectors, or what it is bounded by
   for complex ones: x, y, z are the moduli of the overlaps (0,1), (1,2), (0,2). *)
Definition gram_condition (x y z : R) : Prop :=
  0 <= 1 + 2 * x * y * z - x * x - y * y - z * z.

Theorem angle_triangle : forall x y z,
  0 <= x <= 1 -> 0 <= y <= 1 -> 0 <= z <= 1 -> gram_condition x y z ->
  acos z <= acos x + acos y.
Proof.
  intros x y z Hx Hy Hz H.
  pose proof (acos_in_quadrant x Hx). pose proof (acos_in_quadrant y Hy).
  apply acos_upper; [lra | lra |].
  apply angle_triangle_cosine; [lra | lra |].
  rewrite !cos_acos by lra. exact H.
Qed.

(* k steps of any distance. *)
Theorem path_length : forall (State : Type) (distance : State -> State -> R)
    (state : nat -> State) (step : nat -> R) (k : nat),
  (forall a, distance a a <= 0) ->
  (forall a b c, distance a c <= distance a b + distance b c) ->
  (forall i, (i < k)%nat -> distance (state i) (state (S i)) <= step i) ->
  distance (state O) (state k) <= match k with O => 0 | S j => sum_f_R0 step j end.
Proof.
  intros State distance state step k Hzero Htri Hstep.
  induction k as [| k IH]; [apply Hzero |].
  apply Rle_trans with (1 := Htri _ (state k) _).
  assert (IHk := IH (fun i Hi => Hstep i (Nat.lt_lt_succ_r _ _ Hi))).
  pose proof (Hstep k (Nat.lt_succ_diag_r k)) as Hlast.
  destruct k as [| j]; simpl in *; lra.
Qed.

Definition rotation_sum (theta : nat -> R) (k : nat) : R :=
  match k with O => 0 | S j => sum_f_R0 (fun i => Rabs (theta i) / 2) j end.

(* From the angle to the errors. *)
Theorem errors_from_angle : forall errors angle bound,
  0 <= angle <= PI / 2 -> angle <= bound -> errors <= sin angle ->
  errors <= sin (Rmin bound (PI / 2)).
Proof.
  intros errors angle bound Ha Hb He. apply Rle_trans with (1 := He).
  assert (angle <= Rmin bound (PI / 2)) by (apply Rmin_glb; lra).
  pose proof (Rmin_r bound (PI / 2)). pose proof PI_RGT_0.
  apply sin_incr_1; lra.
Qed.

Lemma sine_of_angle : forall z, 0 <= z <= 1 -> sin (acos z) = sqrt (1 - z * z).
Proof. intros z Hz. rewrite sin_acos by lra. reflexivity. Qed.

(* Read as a bound on k: k equal rotations need k theta/2 >= asin(1-alpha-beta). *)
Theorem rotation_count : forall (k : nat) (theta errors : R),
  0 <= theta -> 0 <= errors <= 1 ->
  errors <= sin (Rmin (INR k * theta / 2) (PI / 2)) ->
  asin errors <= INR k * theta / 2.
Proof.
  intros k theta errors Ht He H.
  assert (Hk : 0 <= INR k * theta / 2).
  { pose proof (pos_INR k).
    assert (0 <= INR k * theta) by (apply Rmult_le_pos; lra). lra. }
  pose proof PI_RGT_0.
  set (m := Rmin (INR k * theta / 2) (PI / 2)) in *.
  assert (Hm : 0 <= m <= PI / 2) by (split; [apply Rmin_glb; lra | apply Rmin_r]).
  apply Rle_trans with m; [| apply Rmin_l].
  pose proof (asin_bound errors). apply sin_incr_0; try lra.
  rewrite sin_asin by lra. exact H.
Qed.
