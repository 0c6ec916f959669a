(* Corollary A7 on amplitudes: k rotations Rz(theta_i), each on any qubit of a pure
   state of any finite dimension, cannot be told from none better than
   sin(min(sum |theta_i|/2, pi/2)).

   A state is a list of complex amplitudes, of which the first n count; a qubit is a
   function that tells the qubit's bit from the index. A mixed state is a pure one with
   more indices. Outside this file: the Helstrom bound, by which the errors satisfy
   1-alpha-beta <= sqrt(1 - overlap^2), and that later noise only lowers that. *)

Require Import Reals Lra Psatz.
From QjaxProofs Require Import rotation.
Open Scope R_scope.

Definition State : Type := nat -> R * R.

(* Real and imaginary part of <a|b>. *)
Fixpoint re (n : nat) (a b : State) : R :=
  match n with
  | O => 0
  | S j => re j a b + (fst (a j) * fst (b j) + snd (a j) * snd (b j))
  end.
Fixpoint im (n : nat) (a b : State) : R :=
  match n with
  | O => 0
  | S j => im j a b + (fst (a j) * snd (b j) - snd (a j) * fst (b j))
  end.
Definition overlap_squared (n : nat) (a b : State) : R :=
  re n a b * re n a b + im n a b * im n a b.
Definition overlap (n : nat) (a b : State) : R := sqrt (overlap_squared n a b).
Definition normalised (n : nat) (a : State) : Prop := re n a a = 1.

Lemma im_self : forall n a, im n a a = 0.
Proof.
  intros n a. induction n as [| j IH]; simpl; [reflexivity | rewrite IH; ring].
Qed.

(* |u a + v b + w c|^2 >= 0: the Gram matrix is positive. *)
Lemma gram_form : forall n a b c u1 u2 v1 v2 w1 w2,
  0 <= (u1 * u1 + u2 * u2) * re n a a + (v1 * v1 + v2 * v2) * re n b b
       + (w1 * w1 + w2 * w2) * re n c c
       + 2 * ((u1 * v1 + u2 * v2) * re n a b - (u1 * v2 - u2 * v1) * im n a b)
       + 2 * ((v1 * w1 + v2 * w2) * re n b c - (v1 * w2 - v2 * w1) * im n b c)
       + 2 * ((u1 * w1 + u2 * w2) * re n a c - (u1 * w2 - u2 * w1) * im n a c).
Proof.
  intros n a b c u1 u2 v1 v2 w1 w2. induction n as [| j IH]; simpl; [lra |].
  destruct (a j) as [a1 a2], (b j) as [b1 b2], (c j) as [c1 c2]. simpl.
  pose proof (Rle_0_sqr
    (u1 * a1 - u2 * a2 + (v1 * b1 - v2 * b2) + (w1 * c1 - w2 * c2))).
  pose proof (Rle_0_sqr
    (u1 * a2 + u2 * a1 + (v1 * b2 + v2 * b1) + (w1 * c2 + w2 * c1))).
  unfold Rsqr in *. lra.
Qed.

Lemma overlap_squared_range : forall n a b, normalised n a -> normalised n b ->
  0 <= overlap_squared n a b <= 1.
Proof.
  intros n a b Ha Hb. unfold normalised, overlap_squared in *. split; [nra |].
  pose proof (gram_form n a b b (re n a b) (im n a b) (-1) 0 0 0) as H.
  rewrite Ha, Hb in H. lra.
Qed.

Lemma overlap_range : forall n a b, normalised n a -> normalised n b ->
  0 <= overlap n a b <= 1.
Proof.
  intros n a b Ha Hb. destruct (overlap_squared_range n a b Ha Hb) as [H0 H1].
  unfold overlap. split; [apply sqrt_pos |].
  rewrite <- sqrt_1. apply sqrt_le_1; lra.
Qed.

Lemma overlap_square : forall n a b,
  overlap n a b * overlap n a b = overlap_squared n a b.
Proof. intros n a b. apply sqrt_sqrt. unfold overlap_squared. nra. Qed.

Lemma overlap_self : forall n a, normalised n a -> overlap n a a = 1.
Proof.
  intros n a H. unfold overlap, overlap_squared. rewrite im_self, H.
  replace (1 * 1 + 0 * 0) with 1 by ring. apply sqrt_1.
Qed.

Lemma discriminant : forall A M B,
  (forall s r, 0 <= A * (s * s) + 2 * M * (s * r) + B * (r * r)) -> M * M <= A * B.
Proof.
  intros A M B F.
  assert (HA : 0 <= A) by (specialize (F 1 0); lra).
  destruct HA as [HA | <-].
  - specialize (F M (- A)). apply Rmult_le_reg_l with A; [exact HA |]. lra.
  - destruct (Req_dec M 0) as [-> | HM]; [lra |].
    specialize (F (- ((B + 1) / (2 * M))) 1).
    replace (2 * M * (- ((B + 1) / (2 * M)) * 1)) with (- (B + 1)) in F
      by (field; exact HM).
    lra.
Qed.

(* The parts of a and c across b:
   |<a|c> - <a|b><b|c>|^2 <= (1-|<a|b>|^2) (1-|<b|c>|^2). *)
Lemma across_middle : forall n a b c,
  normalised n a -> normalised n b -> normalised n c ->
  let d1 := re n a c - (re n a b * re n b c - im n a b * im n b c) in
  let d2 := im n a c - (re n a b * im n b c + im n a b * re n b c) in
  d1 * d1 + d2 * d2 <= (1 - overlap_squared n a b) * (1 - overlap_squared n b c).
Proof.
  intros n a b c Ha Hb Hc d1 d2. pose proof (gram_form n a b c) as G.
  destruct (overlap_squared_range n a b Ha Hb) as [_ Hx].
  destruct (overlap_squared_range n b c Hb Hc) as [_ Hy].
  unfold normalised in *. rewrite Ha, Hb, Hc in G.
  set (A := 1 - overlap_squared n a b). set (B := 1 - overlap_squared n b c).
  set (D := d1 * d1 + d2 * d2).
  assert (F : forall s r, 0 <= A * D * (s * s) + 2 * D * (s * r) + B * (r * r)).
  { intros s r.
    set (u1 := s * d1). set (u2 := s * d2).
    specialize (G u1 u2
      (- (re n a b * u1 + im n a b * u2 + re n b c * r))
      (- (re n a b * u2 - im n a b * u1 + im n b c * r)) r 0).
    unfold A, B, D, u1, u2, d1, d2, overlap_squared in *. lra. }
  assert (HD : 0 <= D) by (unfold D; nra).
  pose proof (discriminant _ _ _ F) as H.
  destruct HD as [HD | <-]; [| apply Rmult_le_pos; unfold A, B; lra].
  apply Rmult_le_reg_l with D; [exact HD |]. lra.
Qed.

Theorem gram_condition_of_states : forall n a b c,
  normalised n a -> normalised n b -> normalised n c ->
  gram_condition (overlap n a b) (overlap n b c) (overlap n a c).
Proof.
  intros n a b c Ha Hb Hc. pose proof (across_middle n a b c Ha Hb Hc) as H. simpl in H.
  rewrite <- !overlap_square in H.
  destruct (overlap_range n a b Ha Hb) as [Hx _].
  destruct (overlap_range n b c Hb Hc) as [Hy _].
  destruct (overlap_range n a c Ha Hc) as [Hz _].
  pose proof (overlap_square n a b) as X. pose proof (overlap_square n b c) as Y.
  pose proof (overlap_square n a c) as Z. unfold overlap_squared in X, Y, Z.
  set (x := overlap n a b) in *. set (y := overlap n b c) in *.
  set (z := overlap n a c) in *. unfold gram_condition.
  set (f1 := re n a b * re n b c - im n a b * im n b c) in *.
  set (f2 := re n a b * im n b c + im n a b * re n b c) in *.
  assert (Hf : f1 * f1 + f2 * f2 = x * y * (x * y)).
  { replace (x * y * (x * y)) with (x * x * (y * y)) by ring. rewrite X, Y.
    unfold f1, f2. ring. }
  (* Cauchy and Schwarz in the plane: Re(<a|c> conj f) <= z x y. *)
  assert (Hcs : re n a c * f1 + im n a c * f2 <= z * (x * y)).
  { assert (0 <= z * (x * y)).
    { apply Rmult_le_pos; [| apply Rmult_le_pos]; assumption. }
    destruct (Rle_or_lt (re n a c * f1 + im n a c * f2) (z * (x * y))) as [| Hlt];
      [assumption | exfalso].
    assert (z * (x * y) * (z * (x * y))
            < (re n a c * f1 + im n a c * f2) * (re n a c * f1 + im n a c * f2)).
    { apply Rmult_le_0_lt_compat; assumption. }
    assert (E : z * (x * y) * (z * (x * y))
                = (re n a c * re n a c + im n a c * im n a c) * (f1 * f1 + f2 * f2)).
    { rewrite <- Z, Hf. ring. }
    pose proof (Rle_0_sqr (re n a c * f2 - im n a c * f1)) as Hsq. unfold Rsqr in Hsq.
    lra. }
  lra.
Qed.

(* Rz(theta) on one qubit multiplies by exp(-i theta/2) or exp(i theta/2). *)
Definition rotated (bit : nat -> bool) (theta : R) (a : State) : State :=
  fun j =>
    let s := if bit j then sin (theta / 2) else - sin (theta / 2) in
    (cos (theta / 2) * fst (a j) - s * snd (a j),
     cos (theta / 2) * snd (a j) + s * fst (a j)).

Lemma rotated_overlap : forall n bit theta a,
  re n a (rotated bit theta a) = cos (theta / 2) * re n a a.
Proof.
  intros n bit theta a. induction n as [| j IH]; simpl; [ring |].
  rewrite IH. ring.
Qed.

Lemma rotated_normalised : forall n bit theta a,
  normalised n a -> normalised n (rotated bit theta a).
Proof.
  intros n bit theta a H. unfold normalised in *. rewrite <- H. clear H.
  pose proof (sin2_cos2 (theta / 2)) as E. unfold Rsqr in E.
  assert (C : cos (theta / 2) * cos (theta / 2) = 1 - sin (theta / 2) * sin (theta / 2))
    by lra.
  induction n as [| j IH]; simpl; [reflexivity |]. rewrite IH.
  destruct (bit j); ring_simplify; rewrite ?Rpow_mult_distr; simpl; ring [C].
Qed.

Theorem rotation_lowers_overlap_little : forall n bit theta a, normalised n a ->
  (cos (theta / 2))² <= (overlap n a (rotated bit theta a))².
Proof.
  intros n bit theta a H. unfold Rsqr at 2. rewrite overlap_square.
  unfold overlap_squared. rewrite rotated_overlap, H. unfold Rsqr. nra.
Qed.

(* The memory after k inserts, each on a qubit of its own choice. *)
Fixpoint inserted (bit : nat -> nat -> bool) (theta : nat -> R) (a : State) (k : nat)
  : State :=
  match k with
  | O => a
  | S i => rotated (bit i) (theta i) (inserted bit theta a i)
  end.

Lemma inserted_normalised : forall n bit theta a k,
  normalised n a -> normalised n (inserted bit theta a k).
Proof.
  intros n bit theta a k H. induction k; simpl; [assumption |].
  apply rotated_normalised. assumption.
Qed.

Theorem rotation_bound : forall n bit theta a k errors,
  normalised n a ->
  errors <= sqrt (1 - overlap_squared n a (inserted bit theta a k)) ->
  errors <= sin (Rmin (rotation_sum theta k) (PI / 2)).
Proof.
  intros n bit theta a k errors H He.
  set (state := inserted bit theta a).
  assert (N : forall i, normalised n (state i)).
  { intros i. apply inserted_normalised, H. }
  apply errors_from_angle with (acos (overlap n (state O) (state k))).
  - apply acos_in_quadrant, overlap_range; apply N.
  - apply (path_length nat (fun i j => acos (overlap n (state i) (state j)))
             (fun i => i)).
    + intros i. rewrite overlap_self, acos_1 by apply N. lra.
    + intros i j l. apply angle_triangle; try (apply overlap_range; apply N).
      apply gram_condition_of_states; apply N.
    + intros i _. apply rotation_angle; [apply overlap_range; apply N |].
      apply rotation_lowers_overlap_little, N.
  - rewrite sine_of_angle by (apply overlap_range; apply N).
    rewrite overlap_square. exact He.
Qed.
